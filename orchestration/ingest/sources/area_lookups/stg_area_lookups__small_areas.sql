-- Small areas (LSOA 2011 and 2021) and the district that holds each, of the lookups in force. Lookups
-- add to each other, as one of a district does; the later delivery's row of an area counts.

with lookups as (

    select *
    from {{ source('raw', 'area_lookups') }}

),

lookups_in_force as (

    select
        series,
        delivered_series,
        period,
        delivery_id,
        quarter
    from {{ source('control', 'in_force') }}
    where source = 'area_lookups' and series in ('lsoa_2011', 'lsoa_2021')

)

select
    lookups.kind,
    lookups.vintage,
    lookups.area_code as lsoa_code,
    lookups.area_name as lsoa_name,
    lookups.district_code
from lookups
inner join lookups_in_force
    on
        lookups.kind = lookups_in_force.delivered_series
        and lookups.vintage = lookups_in_force.period
        and lookups._delivery_id = lookups_in_force.delivery_id
qualify row_number() over (
    partition by lookups.kind, lookups.vintage, lookups.area_code
    order by lookups_in_force.quarter desc, lookups._file_id, lookups._line
) = 1
