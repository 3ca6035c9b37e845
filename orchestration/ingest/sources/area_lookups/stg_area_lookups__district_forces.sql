-- Districts and the police force area that holds each, of the lookups in force.

with lookups as (

    select
        lookups.district_vintage,
        lookups.district_code,
        lookups.district_name,
        lookups.force_code,
        in_force.quarter,
        in_force.version,
        lookups._line
    from {{ source('raw', 'area_lookups') }} as lookups
    inner join {{ source('control', 'in_force') }} as in_force
        on
            lookups.kind = in_force.delivered_series
            and lookups.vintage = in_force.period
            and lookups._delivery_id = in_force.delivery_id
    where
        in_force.source = 'area_lookups'
        and lookups.kind = 'district_force'
        and lookups.force_code is not null

)

select
    district_vintage as vintage,
    district_code,
    district_name,
    force_code
from lookups
qualify row_number() over (
    partition by district_vintage, district_code
    order by quarter desc, version desc, _line desc
) = 1
