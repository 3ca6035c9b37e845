-- People released from prison in a year by where they went, and how many of them had no
-- accommodation. A year has rows once the prison's returns cover it.

with years as (

    select
        releases.prison,
        releases.area_code,
        releases.area_name,
        releases.area_type,
        releases.csp,
        returns.year_start as period_start,
        returns.year_end as period_end,
        sum(releases.released) filter (where releases.accommodation = 'No accommodation')
            as no_accommodation,
        sum(releases.released) filter (where releases.accommodation = 'All releases') as released,
        string_agg(distinct returns.delivery, '; ' order by returns.delivery) as deliveries
    from {{ ref('int_prison_releases__placed') }} as releases
    inner join {{ ref('int_prison_years__whole') }} as returns
        on
            releases.prison = returns.prison
            and releases.period_start = returns.period_start
    where releases.sex = 'All'
    group by
        releases.prison,
        releases.area_code,
        releases.area_name,
        releases.area_type,
        releases.csp,
        returns.year_start,
        returns.year_end

)

select
    {{ period_key("'calendar_year'", 'period_start') }} as period_key,
    'calendar_year' as period_type,
    prison,
    area_code,
    area_name,
    area_type,
    csp,
    period_start,
    period_end,
    {{ period_label_of('period_start', 'period_end') }} as period_label,
    no_accommodation::bigint as no_accommodation,
    released::bigint as released,
    {{ proportion('no_accommodation', 'released') }} as proportion,
    {{ proportion_lower('no_accommodation', 'released') }} as proportion_lower,
    {{ proportion_upper('no_accommodation', 'released') }} as proportion_upper,
    'proportion of people released that had no accommodation' as unit,
    {{ row_status(unavailable='false', not_applicable='released = 0') }} as status,
    deliveries
from years
