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

supplied as (

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
    from supplied
    group by force_name, calendar_year

),

-- A district that was recoded or merged has the count of its own code, or else the sum of those of
-- the districts that it was made of, where all of them have one.
district_counts as (

    select
        areas.force_name,
        served.area_code,
        supplied.calendar_year,
        case
            when bool_or(not served.is_predecessor)
                then max(supplied.offenders) filter (where not served.is_predecessor)
            when sum(served.first_districts) = max(served.area_first_districts)
                then sum(supplied.offenders)
        end as offenders,
        not bool_or(not served.is_predecessor) as is_summed
    from supplied
    inner join {{ ref('int_district_codes__served') }} as served
        on supplied.area_code = served.district_code
    inner join areas
        on
            served.area_code = areas.area_code
            and supplied.force_name = areas.force_name
    group by areas.force_name, served.area_code, supplied.calendar_year

),

calendar_counts as (

    select
        force_name,
        area_code,
        calendar_year,
        offenders,
        is_summed
    from district_counts
    union all
    select
        counts.force_name,
        summed.area_code,
        counts.calendar_year,
        sum(counts.offenders) as offenders,
        bool_or(counts.is_summed) as is_summed
    from district_counts as counts
    inner join {{ ref('int_areas__summed') }} as summed on counts.area_code = summed.district_code
    inner join areas on summed.area_code = areas.area_code
    where areas.area_type = 'partnership'
    group by counts.force_name, summed.area_code, counts.calendar_year
    having count(counts.offenders) = max(summed.districts)
    union all
    select
        supplied.force_name,
        supplied.area_code,
        supplied.calendar_year,
        supplied.offenders,
        false as is_summed
    from supplied
    inner join areas on supplied.area_code = areas.area_code
    where areas.area_type = 'force'

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
        coalesce(calendar_counts.is_summed, false) as is_summed,
        'police_offender_counts' as counted_from,
        calendar_years.delivery
    from calendar_years
    inner join areas on calendar_years.force_name = areas.force_name
    left join calendar_counts
        on
            areas.area_code = calendar_counts.area_code
            and calendar_years.force_name = calendar_counts.force_name
            and calendar_years.calendar_year = calendar_counts.calendar_year
    where areas.area_type in ('district', 'partnership', 'force')

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
        false as is_summed,
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
    is_summed,
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
    is_summed,
    counted_from,
    delivery
from financial_rows
