-- Table 4: offenders by number of needs, of the Community Rehabilitation Company's latest snapshot,
-- for every area. Unlike the printed table, it tells who had no need from who was not assessed.

with complexity as (

    select
        cohort,
        period_end,
        period_label,
        area_code,
        area_name,
        csp,
        complexity,
        needs,
        offenders,
        deliveries
    from {{ ref('need_complexity') }}
    where cohort = 'CRC'

),

latest as (

    select
        complexity.cohort,
        complexity.period_end,
        complexity.period_label,
        complexity.area_code,
        complexity.area_name,
        complexity.csp,
        complexity.complexity,
        complexity.needs,
        complexity.offenders,
        complexity.deliveries
    from complexity
    inner join {{ ref('int_probation_areas__listed') }} as areas
        on complexity.area_code = areas.area_code
    qualify {{ is_latest_period_of_force('complexity', 'areas') }}

),

with_totals as (

    select
        cohort,
        period_end,
        period_label,
        area_code,
        area_name,
        csp,
        complexity as assessed_needs,
        coalesce(needs, 100) as place,
        offenders,
        deliveries
    from latest
    union all
    select
        cohort,
        period_end,
        period_label,
        area_code,
        area_name,
        csp,
        'All offenders' as assessed_needs,
        101 as place,
        sum(offenders) as offenders,
        any_value(deliveries) as deliveries
    from latest
    group by cohort, period_end, period_label, area_code, area_name, csp

)

select
    cohort,
    period_end,
    {{ period_key("'snapshot'", 'period_end') }} as period_key,
    period_label,
    area_code,
    area_name,
    csp,
    row_number() over (partition by area_code order by place)::integer as row_order,
    assessed_needs,
    offenders::bigint as offenders,
    null::varchar as status,
    deliveries
from with_totals
