-- People released from prison by where they went and what accommodation they had.

with releases as (

    select
        prison,
        area_code,
        area_name,
        area_type,
        csp,
        period_start,
        period_end,
        sex,
        accommodation,
        released,
        delivery,
        max(released) filter (where accommodation = 'All releases') over (
            partition by prison, period_start, area_code, sex
        ) as released_all
    from {{ ref('int_prison_releases__placed') }}

)

select
    prison,
    area_code,
    area_name,
    area_type,
    csp,
    {{ period_type_of('period_start', 'period_end') }} as period_type,
    period_start,
    period_end,
    {{ period_label_of('period_start', 'period_end') }} as period_label,
    sex,
    accommodation,
    released,
    released_all,
    {{ proportion('released', 'released_all') }} as proportion,
    {{ proportion_lower('released', 'released_all') }} as proportion_lower,
    {{ proportion_upper('released', 'released_all') }} as proportion_upper,
    'proportion of people released' as unit,
    {{ row_status(unavailable='released is null', not_applicable='released_all = 0') }} as status,
    delivery as deliveries
from releases
