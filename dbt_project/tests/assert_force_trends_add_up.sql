-- A force's monthly trend is the sum of its crime_monthly rows, and a district's is its own row;
-- where there is no row there is no count. A trend begins with the first month in which the
-- publisher used the crime type. Returns the months that differ.
{{ config(meta={'dagster': {'ref': {'name': 'shoplifting_trends'}}}) }}

with trends as (

    select
        'Shoplifting' as crime_type,
        area_code,
        period_start as month,
        offences
    from {{ ref('shoplifting_trends') }}
    where period_type = 'month'
    union all
    select
        'Burglary' as crime_type,
        area_code,
        period_start as month,
        offences
    from {{ ref('burglary_trends') }}
    where period_type = 'month'

),

used as (

    select
        crime_type,
        min(first_month) as first_month
    from {{ ref('crime_types') }}
    where crime_type in ('Shoplifting', 'Burglary')
    group by crime_type

),

monthly as (

    select
        crimes.crime_type,
        crimes.area_code,
        crimes.area_type,
        crimes.force_code,
        crimes.month,
        crimes.offences
    from {{ ref('crime_monthly') }} as crimes
    inner join used
        on
            crimes.crime_type = used.crime_type
            and crimes.month >= used.first_month

),

counts as (

    select
        crime_type,
        force_code as area_code,
        month,
        sum(offences) as offences
    from monthly
    group by crime_type, force_code, month
    union all
    select
        crime_type,
        area_code,
        month,
        offences
    from monthly
    where area_type = 'district'

)

select
    coalesce(trends.crime_type, counts.crime_type) as crime_type,
    coalesce(trends.area_code, counts.area_code) as area_code,
    coalesce(trends.month, counts.month) as month,
    trends.offences as trend_offences,
    counts.offences as counted_offences
from trends
full outer join counts
    on
        trends.crime_type = counts.crime_type
        and trends.area_code = counts.area_code
        and trends.month = counts.month
where trends.offences is distinct from counts.offences
