-- Offenders by area and period, from the two places that count them: the force's own yearly counts
-- of known offenders, and the charges of a financial year.

with areas as (

    select
        area_code,
        area_type,
        force_code,
        force_name
    from {{ ref('int_areas__listed') }}

),

calendar_counts as (

    select
        force_name,
        area_code,
        calendar_year,
        offenders,
        delivery
    from {{ ref('stg_police_offender_counts__offenders') }}

),

calendar_years as (

    select
        force_name,
        calendar_year,
        {{ all_deliveries('delivery') }} as delivery
    from calendar_counts
    group by force_name, calendar_year

),

-- An area that a year's delivery leaves out is not available, rather than without offenders.
calendar_rows as (

    select
        'calendar_year' as period_type,
        make_date(calendar_years.calendar_year, 1, 1) as period_start,
        make_date(calendar_years.calendar_year, 12, 31) as period_end,
        calendar_years.calendar_year::varchar as period_label,
        areas.area_code,
        calendar_counts.offenders,
        'police_offender_counts' as counted_from,
        calendar_years.delivery
    from calendar_years
    inner join areas on calendar_years.force_name = areas.force_name
    left join calendar_counts
        on
            areas.area_code = calendar_counts.area_code
            and calendar_years.calendar_year = calendar_counts.calendar_year
    where areas.area_type in ('district', 'force')

),

charged as (

    select
        area_code,
        period_start,
        count(*) as offenders
    from {{ ref('int_offenders__by_area') }}
    group by area_code, period_start

),

financial_rows as (

    select
        'financial_year' as period_type,
        periods.period_start,
        periods.period_end,
        periods.period_label,
        periods.area_code,
        coalesce(charged.offenders, 0) as offenders,
        'police_charges' as counted_from,
        periods.delivery
    from {{ ref('int_offender_areas__periods') }} as periods
    left join charged
        on
            periods.area_code = charged.area_code
            and periods.period_start = charged.period_start

)

select
    period_type,
    period_start,
    period_end,
    period_label,
    area_code,
    offenders::bigint as offenders,
    counted_from,
    delivery
from calendar_rows
union all
select
    period_type,
    period_start,
    period_end,
    period_label,
    area_code,
    offenders::bigint as offenders,
    counted_from,
    delivery
from financial_rows
