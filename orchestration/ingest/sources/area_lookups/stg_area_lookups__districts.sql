-- Names and codes of local authority districts, of the lists in force.

with lists as (

    select
        lookups.district_vintage,
        lookups.district_code,
        lookups.district_name,
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
        and lookups.kind in ('district', 'district_force')
        and lookups.district_name is not null

)

select
    district_vintage as vintage,
    district_code,
    district_name
from lists
qualify row_number() over (
    partition by district_vintage, district_code
    order by quarter desc, version desc, _line desc
) = 1
