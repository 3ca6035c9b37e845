-- Every area that a figure can be about: the districts of the forces, their force areas, and two
-- remainders a force, so that a force's counts add up whatever its records say about place.

with named_districts as (

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
    from named_districts

),

-- A lookup of forces names the districts that the partnerships file does not. Of its editions the
-- newest counts that has every district which the file names, so that no district occurs twice,
-- under an old code and a new one.
force_editions as (

    select
        named.force_code,
        lookups.vintage
    from named_districts as named
    inner join {{ ref('stg_area_lookups__district_forces') }} as lookups
        on
            named.district_code = lookups.district_code
            and named.force_code = lookups.force_code
    group by named.force_code, lookups.vintage
    having
        count(*) = (
            select count(*)
            from named_districts as every_named
            where every_named.force_code = named.force_code
        )

),

chosen_editions as (

    select
        force_code,
        max(vintage) as vintage
    from force_editions
    group by force_code

),

districts as (

    select
        district_code,
        district_name,
        force_code,
        force_name,
        force_area_name,
        csp,
        csp_name
    from named_districts
    union all
    select
        lookups.district_code,
        lookups.district_name,
        forces.force_code,
        forces.force_name,
        forces.force_area_name,
        null as csp,
        null as csp_name
    from {{ ref('stg_area_lookups__district_forces') }} as lookups
    inner join chosen_editions
        on
            lookups.force_code = chosen_editions.force_code
            and lookups.vintage = chosen_editions.vintage
    inner join forces on lookups.force_code = forces.force_code
    where lookups.district_code not in (
        select named_districts.district_code from named_districts
    )

),

force_level_kinds as (

    select
        kinds.area_type,
        kinds.code_suffix,
        kinds.area_name
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
