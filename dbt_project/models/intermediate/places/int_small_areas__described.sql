-- Every small area that is counted, with its name, ward, towns and boundary.

with counted as (

    select
        small_area_code,
        max(case when lsoa_code = small_area_code then lsoa_name end) as small_area_name,
        -- The one that it became says where it lies.
        arg_max(area_code, lsoa_code = small_area_code) as area_code,
        arg_max(force_code, lsoa_code = small_area_code) as force_code
    from {{ ref('int_small_areas__followed') }}
    group by small_area_code

),

wards as (

    select
        area_code as small_area_code,
        ward_code
    from {{ ref('int_area_wards__dated') }}
    qualify row_number() over (partition by area_code order by edition desc, ward_code asc) = 1

),

ward_names as (

    select
        area_code as ward_code,
        arg_max(area_name, coalesce(last_day, date '9999-12-31')) as ward_name
    from {{ ref('int_areas__dated') }}
    where area_type = 'ward'
    group by area_code

),

towns as (

    select
        small_areas.small_area_code,
        string_agg(distinct towns.area_code, '; ' order by towns.area_code) as town_codes,
        string_agg(distinct towns.town, '; ' order by towns.town) as town_names
    from {{ source('control', 'partnership_small_areas') }} as small_areas
    inner join {{ source('control', 'partnership_towns') }} as towns
        on small_areas.town_area_code = towns.area_code
    group by small_areas.small_area_code

)

select
    counted.small_area_code,
    counted.small_area_name,
    counted.area_code,
    counted.force_code,
    wards.ward_code,
    ward_names.ward_name,
    towns.town_codes,
    towns.town_names,
    boundaries.boundary
from counted
left join wards on counted.small_area_code = wards.small_area_code
left join ward_names on wards.ward_code = ward_names.ward_code
left join towns on counted.small_area_code = towns.small_area_code
left join {{ ref('stg_area_lookups__boundaries') }} as boundaries
    on counted.small_area_code = boundaries.small_area_code
