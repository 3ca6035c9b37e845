-- A force's monthly trend is the sum of its crime_monthly rows, and a district's or
-- partnership's is its own row; total crime is the sum of all types but anti-social behaviour.
-- Where there is no row there is no count. A trend has the months in which the publisher used the
-- crime type. Returns the months that differ.
{{ config(meta={'dagster': {'ref': {'name': 'crime_trends'}}}) }}

with trends as (

    select
        crime_type,
        area_code,
        period_start as month,
        offences
    from {{ ref('crime_trends') }}
    where period_type = 'month'

),

used as (

    select
        crime_type,
        min(first_month) as first_month,
        max(coalesce(last_month, date '9999-12-01')) as last_month
    from {{ ref('crime_types') }}
    group by crime_type

),

of_types as (

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
            and crimes.month between used.first_month and used.last_month

),

monthly as (

    select
        crime_type,
        area_code,
        area_type,
        force_code,
        month,
        offences
    from of_types
    union all
    select
        '{{ var("total_crime") }}' as crime_type,
        area_code,
        area_type,
        force_code,
        month,
        case when count(offences) = count(*) then sum(offences) end as offences
    from {{ ref('crime_monthly') }}
    where crime_type <> '{{ var("incidents") }}'
    group by area_code, area_type, force_code, month

),

counts as (

    select
        crime_type,
        force_code as area_code,
        month,
        sum(offences) as offences
    from monthly
    where area_type <> 'partnership'
    group by crime_type, force_code, month
    union all
    select
        crime_type,
        area_code,
        month,
        offences
    from monthly
    where area_type in ('district', 'partnership')

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
