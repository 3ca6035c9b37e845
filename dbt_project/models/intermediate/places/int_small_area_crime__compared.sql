-- Offences of each small area and crime type in the months compared, with zeros: a small area with
-- an offence or incident of any type in the months that are counted is one that the supplier uses.

with used as (

    select distinct
        force_code,
        small_area_code
    from {{ ref('int_small_area_crime__counted') }}

),

periods as (

    select
        force_code,
        crime_type,
        period,
        max(last_month) as last_month,
        count(*)::integer as months_counted,
        {{ all_deliveries('delivery') }} as deliveries
    from {{ ref('int_small_area_periods__listed') }}
    group by force_code, crime_type, period

),

summed as (

    select
        counts.force_code,
        counts.small_area_code,
        counts.crime_type,
        months.period,
        sum(counts.offences)::bigint as offences
    from {{ ref('int_small_area_crime__by_month') }} as counts
    inner join {{ ref('int_small_area_periods__listed') }} as months
        on
            counts.force_code = months.force_code
            and counts.crime_type = months.crime_type
            and counts.month = months.month
    group by counts.force_code, counts.small_area_code, counts.crime_type, months.period

)

select
    periods.force_code,
    used.small_area_code,
    periods.crime_type,
    periods.period,
    periods.last_month,
    periods.months_counted,
    coalesce(summed.offences, 0) as offences,
    periods.deliveries
from periods
inner join used on periods.force_code = used.force_code
left join summed
    on
        periods.force_code = summed.force_code
        and used.small_area_code = summed.small_area_code
        and periods.crime_type = summed.crime_type
        and periods.period = summed.period
