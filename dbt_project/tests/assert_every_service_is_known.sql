-- A youth offending service or prison that the reference tables do not list would be left out.

{{ config(meta={'dagster': {'ref': {'name': 'stg_youth_offending__registrations'}}}) }}

select distinct
    youth_offending_service as left_out
from {{ ref('stg_youth_offending__registrations') }}
where youth_offending_service not in (
    select youth_offending_service from {{ ref('youth_offending_services') }}
)
union all
select distinct prison as left_out
from {{ ref('stg_prison_releases__figures') }}
where prison not in (select prison from {{ ref('prisons') }})
