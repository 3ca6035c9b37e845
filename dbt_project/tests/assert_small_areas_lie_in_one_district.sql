-- A small area has one district, whichever lookup it is read from. Returns those that have more.
{{ config(meta={'dagster': {'ref': {'name': 'stg_area_lookups__small_areas'}}}) }}

select
    lsoa_code,
    count(distinct district_code) as districts
from {{ ref('stg_area_lookups__small_areas') }}
group by lsoa_code
having count(distinct district_code) > 1
