-- Every area that a figure can be about: the districts of the forces, the partnerships of several
-- districts, the force areas, and two remainders a force, so that a force's counts add up whatever
-- its records say about place.

with named_districts as (

    select
        district_code,
        district_name,
        force_code,
        force_name,
        force_area_name,
        -- A district of the force that no partnership here serves has none.
        nullif(csp, '') as csp,
        nullif(csp_name, '') as csp_name,
        partnership_code
    from {{ source('control', 'partnership_areas') }}

),

forces as (

    select distinct
        force_code,
        force_name,
        force_area_name
    from named_districts

),

-- What a lookup of forces names may have been recoded or merged: it is then the district that the
-- file names, or the one that it was part of on the last day of the quarter.
successors as (

    select
        chained.district_code,
        chained.successor_code,
        chained.successor_name
    from {{ ref('int_district_changes__chained') }} as chained
    cross join {{ source('control', 'refresh') }} as refresh
    left join named_districts as named on chained.successor_code = named.district_code
    where
        named.district_code is not null
        or chained.changed_on <= refresh.quarter_end
    qualify row_number() over (
        partition by chained.district_code
        order by named.district_code is null, chained.steps desc
    ) = 1

),

lookup_districts as (

    select distinct
        lookups.vintage,
        lookups.force_code,
        coalesce(
            case when named.district_code is null then successors.successor_code end,
            lookups.district_code
        ) as district_code,
        coalesce(
            case when named.district_code is null then successors.successor_name end,
            lookups.district_name
        ) as district_name
    from {{ ref('stg_area_lookups__district_forces') }} as lookups
    left join named_districts as named on lookups.district_code = named.district_code
    left join successors on lookups.district_code = successors.district_code

),

-- A lookup of forces names the districts that the partnerships file does not. Of its editions the
-- newest counts that has every district which the file names, so that no district occurs twice,
-- under an old code and a new one.
force_editions as (

    select
        named.force_code,
        lookups.vintage
    from named_districts as named
    inner join lookup_districts as lookups
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
        csp_name,
        partnership_code
    from named_districts
    union all
    select
        lookups.district_code,
        lookups.district_name,
        forces.force_code,
        forces.force_name,
        forces.force_area_name,
        null as csp,
        null as csp_name,
        null as partnership_code
    from lookup_districts as lookups
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
        csp_name,
        partnership_code
    from districts
    union all
    select distinct
        partnership_code as area_code,
        csp_name as area_name,
        'partnership' as area_type,
        force_code,
        force_name,
        force_area_name,
        csp,
        csp_name,
        partnership_code
    from districts
    where partnership_code <> district_code
    union all
    select
        forces.force_code || kinds.code_suffix as area_code,
        coalesce(kinds.area_name, forces.force_area_name) as area_name,
        kinds.area_type,
        forces.force_code,
        forces.force_name,
        forces.force_area_name,
        null as csp,
        null as csp_name,
        null as partnership_code
    from forces
    cross join force_level_kinds as kinds

)

select
    areas.area_code,
    areas.area_name,
    areas.area_type,
    areas.force_code,
    areas.force_name,
    areas.csp,
    areas.csp_name,
    areas.partnership_code,
    (changes.changed_on - interval 1 day)::date as last_day,
    -- Printed order: county districts by code, unitary authorities, then what
    -- is not a district.
    row_number() over (
        order by
            areas.force_area_name,
            areas.force_code,
            list_position(
                ['district', 'partnership', 'force', 'unlocated', 'outside'], areas.area_type
            ),
            areas.area_code like 'E06%',
            areas.area_code
    )::integer as print_order
from areas
-- A district that the file names although it has ceased.
left join {{ ref('int_district_changes__listed') }} as changes
    on areas.area_code = changes.predecessor_code
