-- Names and codes of local authority districts, of the lists in force.

with lists as (

    select
        district_vintage,
        district_code,
        district_name,
        delivery_quarter,
        delivery_version,
        _line
    from {{ source('in_force', 'area_lookups') }}
    where
        kind in ('district', 'district_force')
        and district_name is not null

)

select
    district_vintage as vintage,
    district_code,
    district_name
from lists
qualify row_number() over (
    partition by district_vintage, district_code
    order by delivery_quarter desc, delivery_version desc, _line desc
) = 1
