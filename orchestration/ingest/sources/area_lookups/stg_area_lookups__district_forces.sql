-- Districts and the police force area that holds each, of the lookups in force.

with lookups as (

    select
        district_vintage,
        district_code,
        district_name,
        force_code,
        delivery_quarter,
        delivery_version,
        _line
    from {{ source('in_force', 'area_lookups') }}
    where
        kind = 'district_force'
        and force_code is not null

)

select
    district_vintage as vintage,
    district_code,
    district_name,
    force_code
from lookups
qualify row_number() over (
    partition by district_vintage, district_code
    order by delivery_quarter desc, delivery_version desc, _line desc
) = 1
