-- All measures of a trend: rate, change on the year, rolling twelve months, index, control limits.

with counted as (

    select
        area_code,
        crime_type,
        period_type,
        period_start,
        period_end,
        period_label,
        offences,
        is_after_break,
        missing_because,
        -- Periods between two breaks have a number in common: only they are compared or added up.
        count_if(is_after_break) over (
            partition by area_code, crime_type, period_type
            order by period_start
        ) as content,
        delivery
    from {{ ref('int_crime_trends__counted') }}

),

-- The window is one of dates, so a month that is missing makes it short, not longer.
rolling as (

    select
        area_code,
        crime_type,
        period_type,
        period_start,
        case when count(offences) over twelve_months = 12 then sum(offences) over twelve_months end
            as rolling_12m_offences
    from counted
    where period_type = 'month'
    window twelve_months as (
        partition by area_code, crime_type, content
        order by period_start
        range between interval 11 month preceding and current row
    )

),

-- The base of an index is the first calendar year with a count for all its twelve months, after a
-- break the first such year since.
whole_years as (

    select
        area_code,
        crime_type,
        content,
        year(period_start) as base_year,
        sum(offences) as offences
    from counted
    where period_type = 'month'
    group by area_code, crime_type, content, year(period_start)
    having count(offences) = 12

),

bases as (

    select
        area_code,
        crime_type,
        content,
        min(base_year) as base_year,
        arg_min(offences, base_year) as offences
    from whole_years
    group by area_code, crime_type, content

),

joined as (

    select
        counted.area_code,
        areas.area_name,
        areas.area_type,
        areas.csp,
        coalesce(areas.last_day < counted.period_end, false) as has_ceased,
        counted.crime_type,
        counted.period_type,
        counted.period_start,
        counted.period_end,
        counted.period_label,
        counted.offences,
        counted.is_after_break,
        counted.missing_because,
        counted.delivery as street_delivery,
        populations.population,
        populations.mid_year as population_mid_year,
        populations.estimator as population_estimator,
        coalesce(populations.is_carried_forward, false) as is_carried_forward,
        populations.delivery as population_delivery,
        year_before.offences as offences_year_before,
        rolling.rolling_12m_offences,
        bases.base_year,
        bases.offences / case counted.period_type when 'month' then 12 else 4 end as base_offences
    from counted
    inner join {{ ref('int_areas__listed') }} as areas on counted.area_code = areas.area_code
    left join {{ ref('int_populations__carried') }} as populations
        on
            counted.area_code = populations.area_code
            and year(counted.period_start) = populations.calendar_year
    left join counted as year_before
        on
            counted.area_code = year_before.area_code
            and counted.crime_type = year_before.crime_type
            and counted.period_type = year_before.period_type
            and counted.content = year_before.content
            and counted.period_start = year_before.period_start + interval 1 year
    left join rolling
        on
            counted.area_code = rolling.area_code
            and counted.crime_type = rolling.crime_type
            and counted.period_type = rolling.period_type
            and counted.period_start = rolling.period_start
    left join bases
        on
            counted.area_code = bases.area_code
            and counted.crime_type = bases.crime_type
            and counted.content = bases.content

)

select
    joined.area_code,
    joined.area_name,
    joined.area_type,
    joined.csp,
    joined.crime_type,
    joined.period_type,
    joined.period_start,
    joined.period_end,
    joined.period_label,
    joined.offences,
    joined.population,
    joined.population_mid_year,
    joined.population_estimator,
    {{ rate_per_1000('joined.offences', 'joined.population') }} as rate_per_1000,
    {{ rate_lower('joined.offences', 'joined.population', 'exact') }} as rate_lower,
    {{ rate_upper('joined.offences', 'joined.population', 'exact') }} as rate_upper,
    'offences per 1,000 population' as unit,
    joined.offences_year_before,
    joined.offences - joined.offences_year_before as change_on_year,
    100.0 * (joined.offences - joined.offences_year_before)
    / nullif(joined.offences_year_before, 0) as change_on_year_percent,
    joined.rolling_12m_offences::bigint as rolling_12m_offences,
    {{ rate_per_1000('joined.rolling_12m_offences', 'joined.population') }}
        as rolling_12m_rate_per_1000,
    {{ rate_lower('joined.rolling_12m_offences', 'joined.population', 'rolling_exact') }}
        as rolling_12m_rate_lower,
    {{ rate_upper('joined.rolling_12m_offences', 'joined.population', 'rolling_exact') }}
        as rolling_12m_rate_upper,
    100.0 * joined.offences / nullif(joined.base_offences, 0) as index_value,
    joined.base_year::varchar as index_base_period,
    limits.xmr_segment,
    limits.xmr_points,
    limits.xmr_since,
    limits.xmr_is_restart,
    limits.xmr_centre,
    limits.xmr_moving_range_mean,
    limits.xmr_lower,
    limits.xmr_upper,
    limits.xmr_signal,
    case
        when joined.offences is null and joined.has_ceased then 'the area has ceased'
        else joined.missing_because
    end as missing_because,
    {{ row_status(
        not_applicable='joined.has_ceased and joined.offences is null',
        unavailable='joined.offences is null or nullif(joined.population, 0) is null',
        after_break='joined.is_after_break',
        carried='joined.is_carried_forward'
    ) }} as status,
    {{ joined_deliveries('joined.street_delivery', 'joined.population_delivery') }} as deliveries,
    -- The same two for a figure that shows the counts without a rate.
    {{ row_status(
        not_applicable='joined.has_ceased and joined.offences is null',
        unavailable='joined.offences is null',
        after_break='joined.is_after_break'
    ) }} as count_status,
    joined.street_delivery as count_deliveries
from joined
left join {{ ref('int_crime_trends__limits') }} as limits
    on
        joined.area_code = limits.area_code
        and joined.crime_type = limits.crime_type
        and joined.period_type = limits.period_type
        and joined.period_start = limits.period_start
left join {{ ref('poisson_exact_limits') }} as exact
    on joined.offences = exact.offences
left join {{ ref('poisson_exact_limits') }} as rolling_exact
    on joined.rolling_12m_offences = rolling_exact.offences
