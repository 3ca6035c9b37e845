-- Names and codes of local authority districts, of the lists in force.

with lookups as (

    select *
    from {{ source('raw', 'area_lookups') }}

),

lists_in_force as (

    select
        series,
        period,
        delivery_id
    from {{ source('control', 'in_force') }}
    where source = 'area_lookups' and series = 'district'

)

select
    lookups.vintage,
    lookups.area_code as district_code,
    lookups.area_name as district_name
from lookups
inner join lists_in_force
    on
        lookups.kind = lists_in_force.series
        and lookups.vintage = lists_in_force.period
        and lookups._delivery_id = lists_in_force.delivery_id
