-- A month without a file is absent from crime_monthly and null in the trends, never 0.
-- Returns counts that no file supports.
{{ config(meta={'dagster': {'ref': {'name': 'crime_monthly'}}}) }}

with counts as (

    select
        force_code,
        month
    from {{ ref('crime_monthly') }}
    union
    select
        areas.force_code,
        trends.period_start as month
    from {{ ref('crime_trends') }} as trends
    inner join {{ ref('dim_area') }} as areas on trends.area_code = areas.area_code
    where trends.period_type = 'month' and trends.offences is not null

)

select
    counts.force_code,
    counts.month
from counts
anti join {{ ref('int_force_months__in_force') }} as force_months
    on counts.force_code = force_months.force_code and counts.month = force_months.month
