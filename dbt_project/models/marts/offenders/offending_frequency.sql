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

),

completed as (

    select
        slots.area_code,
        slots.period_start,
        slots.offences_per_offender,
        coalesce(counted.offenders, 0) as offenders,
        slots.offences_per_offender * coalesce(counted.offenders, 0) as offences
    from slots
    left join counted
        on
            slots.area_code = counted.area_code
            and slots.period_start = counted.period_start
            and slots.offences_per_offender = counted.offences_per_offender

),

with_totals as (

    select
        area_code,
        period_start,
        offences_per_offender,
        offenders,
        offences,
        sum(offenders) over (partition by area_code, period_start) as all_offenders,
        sum(offences) over (partition by area_code, period_start) as all_offences
    from completed

)

select
    'financial_year' as period_type,
    periods.period_start,
    periods.period_end,
    periods.period_label,
    periods.area_code,
    periods.area_name,
    periods.area_type,
    periods.csp,
    with_totals.offences_per_offender::integer as offences_per_offender,
    {{ offences_band('with_totals.offences_per_offender') }} as offences_band,
    with_totals.offenders::bigint as offenders,
    with_totals.all_offenders::bigint as all_offenders,
    {{ percent('with_totals.offenders', 'with_totals.all_offenders') }} as percent_of_offenders,
    {{ percent_lower('with_totals.offenders', 'with_totals.all_offenders') }}
        as percent_of_offenders_lower,
    {{ percent_upper('with_totals.offenders', 'with_totals.all_offenders') }}
        as percent_of_offenders_upper,
    with_totals.offences::bigint as offences,
    with_totals.all_offences::bigint as all_offences,
    {{ percent('with_totals.offences', 'with_totals.all_offences') }} as percent_of_offences,
    'percent' as unit,
    -- A share of nobody does not apply.
    {{ row_status(unavailable='false', not_applicable='with_totals.all_offenders = 0') }} as status,
    periods.delivery as deliveries
from with_totals
inner join periods
    on
        with_totals.area_code = periods.area_code
        and with_totals.period_start = periods.period_start
order by periods.period_start, periods.print_order, with_totals.offences_per_offender
