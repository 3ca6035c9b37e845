-- Names and codes of local authority districts, of the lists in force. Lists add to each other; where
-- two have a district, the later delivery's row counts.

with lookups as (

    select *
    from {{ source('raw', 'area_lookups') }}

),

lists_in_force as (

    select
        series,
        delivered_series,
        period,
        delivery_id,
        quarter
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
        lookups.kind = lists_in_force.delivered_series
        and lookups.vintage = lists_in_force.period
        and lookups._delivery_id = lists_in_force.delivery_id
qualify row_number() over (
    partition by lookups.vintage, lookups.area_code
    order by lists_in_force.quarter desc, lookups._file_id, lookups._line
) = 1
