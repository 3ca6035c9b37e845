-- A quarter's count is the sum of its three months, and null while one of them is.
-- Returns the quarters that are not.
{{ config(meta={'dagster': {'ref': {'name': 'crime_trends'}}}) }}

with months as (

    select
        area_code,
        crime_type,
        date_trunc('quarter', period_start)::date as quarter,
        case when count(offences) = 3 then sum(offences) end as offences
    from {{ ref('crime_trends') }}
    where period_type = 'month'
    group by area_code, crime_type, date_trunc('quarter', period_start)

),

quarters as (

    select
        area_code,
        crime_type,
        period_start as quarter,
        offences
    from {{ ref('crime_trends') }}
    where period_type = 'quarter'

)

select
    coalesce(months.area_code, quarters.area_code) as area_code,
    coalesce(months.crime_type, quarters.crime_type) as crime_type,
    coalesce(months.quarter, quarters.quarter) as quarter,
    months.offences as months_offences,
    quarters.offences as quarter_offences
from months
full outer join quarters
    on
        months.area_code = quarters.area_code
        and months.crime_type = quarters.crime_type
        and months.quarter = quarters.quarter
where months.offences is distinct from quarters.offences
