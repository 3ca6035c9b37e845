-- Offenders by how many offences they were charged with in a financial year. One to seven offences
-- always have a row; more have one where somebody was charged with as many.

with periods as (

    select
        period_start,
        period_end,
        period_label,
        area_code,
        area_name,
        area_type,
        csp,
        print_order,
        delivery
    from {{ ref('int_offender_areas__periods') }}

),

counted as (

    select
        area_code,
        period_start,
        offences as offences_per_offender,
        count(*) as offenders
    from {{ ref('int_offenders__by_area') }}
    group by area_code, period_start, offences

),

slots as (

    select
        periods.area_code,
        periods.period_start,
        numbers.offences_per_offender
    from periods
    cross join
        generate_series(1, {{ var('offences_band_from') }} - 1)
            as numbers (offences_per_offender)
    union
    select
        area_code,
        period_start,
        offences_per_offender
    from counted

)

select
    periods.period_start,
    periods.period_end,
    periods.period_label,
    periods.area_code,
    periods.area_name,
    periods.area_type,
    periods.csp,
    periods.print_order,
    slots.offences_per_offender::integer as offences_per_offender,
    coalesce(counted.offenders, 0)::bigint as offenders,
    (slots.offences_per_offender * coalesce(counted.offenders, 0))::bigint as offences,
    periods.delivery as deliveries
from slots
inner join periods
    on
        slots.area_code = periods.area_code
        and slots.period_start = periods.period_start
left join counted
    on
        slots.area_code = counted.area_code
        and slots.period_start = counted.period_start
        and slots.offences_per_offender = counted.offences_per_offender
