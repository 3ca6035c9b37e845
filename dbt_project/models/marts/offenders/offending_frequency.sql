-- Offenders by how many offences they were charged with in a financial year, one to seven, and
-- those with eight or more together.

with bands as (

    select
        period_start,
        period_end,
        period_label,
        area_code,
        area_name,
        area_type,
        csp,
        print_order,
        least(offences_per_offender, {{ var('offences_band_from') }})
            as offences_per_offender,
        offenders,
        offences,
        deliveries
    from {{ ref('int_offenders__by_offences') }}
    where area_type in ('district', 'partnership', 'force')
    union all
    -- The last band has a row where nobody was charged with as many.
    select
        period_start,
        period_end,
        period_label,
        area_code,
        area_name,
        area_type,
        csp,
        print_order,
        {{ var('offences_band_from') }} as offences_per_offender,
        0 as offenders,
        0 as offences,
        delivery as deliveries
    from {{ ref('int_offender_areas__periods') }}
    where area_type in ('district', 'partnership', 'force')

),

counted as (

    select
        period_start,
        period_end,
        period_label,
        area_code,
        area_name,
        area_type,
        csp,
        print_order,
        offences_per_offender,
        deliveries,
        sum(offenders)::bigint as offenders,
        sum(offences)::bigint as offences
    from bands
    group by all

),

with_totals as (

    select
        period_start,
        period_end,
        period_label,
        area_code,
        area_name,
        area_type,
        csp,
        print_order,
        offences_per_offender,
        deliveries,
        offenders,
        offences,
        sum(offenders) over (partition by area_code, period_start) as all_offenders,
        sum(offences) over (partition by area_code, period_start) as all_offences
    from counted

)

select
    {{ period_key("'financial_year'", 'period_start') }} as period_key,
    'financial_year' as period_type,
    period_start,
    period_end,
    period_label,
    area_code,
    area_name,
    area_type,
    csp,
    offences_per_offender::integer as offences_per_offender,
    {{ offences_band('offences_per_offender') }} as offences_band,
    offenders,
    all_offenders::bigint as all_offenders,
    {{ percent('offenders', 'all_offenders') }} as percent_of_offenders,
    {{ percent_lower('offenders', 'all_offenders') }} as percent_of_offenders_lower,
    {{ percent_upper('offenders', 'all_offenders') }} as percent_of_offenders_upper,
    offences,
    all_offences::bigint as all_offences,
    {{ percent('offences', 'all_offences') }} as percent_of_offences,
    'percent' as unit,
    -- A share of nobody does not apply.
    {{ row_status(unavailable='false', not_applicable='all_offenders = 0') }} as status,
    deliveries
from with_totals
order by period_start, print_order, offences_per_offender
