-- Every area that a figure can be about: the districts of the forces, their force areas, and two
-- remainders a force, so that a force's counts add up whatever its records say about place.

with districts as (

    select
        district_code,
        district_name,
        force_code,
        force_name,
        force_area_name,
        -- A district of the force that no partnership here serves has none.
        nullif(csp, '') as csp,
        nullif(csp_name, '') as csp_name
    from {{ source('control', 'partnership_areas') }}

),

forces as (

    select distinct
        force_code,
        force_name,
        force_area_name
    from districts

),

force_level_kinds as (

    select
        area_type,
        code_suffix,
        area_name
    from (
        values
        ('force', '', null),
        ('unlocated', ':unlocated', 'Location not recorded'),
        ('outside', ':outside', 'Outside the force area')
    ) as kinds (area_type, code_suffix, area_name)

),

areas as (

    select
        district_code as area_code,
        district_name as area_name,
        'district' as area_type,
        force_code,
        force_name,
        force_area_name,
        csp,
        csp_name
    from districts
    union all
    select
        forces.force_code || kinds.code_suffix as area_code,
        coalesce(kinds.area_name, forces.force_area_name) as area_name,
        kinds.area_type,
        forces.force_code,
        forces.force_name,
        forces.force_area_name,
        null as csp,
        null as csp_name
    from forces
    cross join force_level_kinds as kinds

)

select
    area_code,
    area_name,
    area_type,
    force_code,
    force_name,
    csp,
    csp_name,
    -- Printed order: county districts by code, unitary authorities, then what is not a district.
    row_number() over (
        order by
            force_area_name,
            force_code,
            list_position(['district', 'force', 'unlocated', 'outside'], area_type),
            area_code like 'E06%',
            area_code
    )::integer as print_order
from areas
