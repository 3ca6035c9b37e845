-- Every area of a figure or of the hierarchy, once: those that figures are about with their
-- remainders, the towns of the partnerships file, and the wards, small areas, former districts and
-- larger areas of the lookups, each with the area whose figures hold its own.

with figure_areas as (

    select
        area_code,
        area_name,
        area_type,
        force_code,
        force_name,
        csp,
        csp_name,
        partnership_code,
        case
            when area_type = 'district' and partnership_code <> area_code then partnership_code
            when area_type <> 'force' then force_code
        end as parent_area_code,
        print_order
    from {{ ref('int_crime_areas__listed') }}
    union all
    select
        area_code,
        area_name,
        area_type,
        force_code,
        force_name,
        csp,
        null as csp_name,
        null as partnership_code,
        force_code as parent_area_code,
        print_order
    from {{ ref('int_probation_areas__listed') }}
    where area_type = 'unstated'
    union all
    -- Everybody released is more than the force's: it has no parent.
    select
        area_code,
        area_name,
        area_type,
        force_code,
        force_name,
        csp,
        null as csp_name,
        null as partnership_code,
        null as parent_area_code,
        print_order
    from {{ ref('int_prison_areas__listed') }}
    where area_type = 'all'

),

districts as (

    select
        area_code,
        force_code,
        force_name,
        csp,
        csp_name,
        partnership_code,
        print_order
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'

),

towns as (

    select
        towns.area_code,
        towns.town as area_name,
        'town' as area_type,
        towns.district_code as parent_area_code,
        towns.print_order
    from {{ source('control', 'partnership_towns') }} as towns
    inner join districts on towns.district_code = districts.area_code

),

-- The latest name of an area, and the days of all of its names. A partnership of one district has
-- no area of its own: its figures are its district's.
named as (

    select
        area_code,
        any_value(area_type) as area_type,
        arg_max(area_name, {{ until('last_day') }}) as area_name,
        {{ known_first_day('min(' ~ since('first_day') ~ ')') }} as first_day,
        {{ known_last_day('max(' ~ until('last_day') ~ ')') }} as last_day
    from {{ ref('int_areas__dated') }}
    where area_type <> 'partnership'
    group by area_code

),

-- The district that a ward or small area lies in, or lay in last.
districts_in as (

    select
        area_code,
        arg_max(
            parent_code, strftime({{ until('last_day') }}, '%Y-%m-%d') || parent_code
        ) as district_code
    from {{ ref('int_area_parents__dated') }}
    where parent_type = 'district' and area_type in ('ward', 'small area')
    group by area_code

),

hierarchy as (

    select
        named.area_code,
        coalesce(named.area_name, named.area_code) as area_name,
        case when named.area_type = 'district' then 'former district' else named.area_type end
            as area_type,
        coalesce(described.area_code, followed.area_code) as parent_area_code
    from named
    left join districts_in on named.area_code = districts_in.area_code
    left join {{ ref('int_district_codes__served') }} as followed
        on coalesce(districts_in.district_code, named.area_code) = followed.district_code
    left join {{ ref('int_small_areas__described') }} as described
        on named.area_code = described.small_area_code
    where named.area_code not in (select figure_areas.area_code from figure_areas)

),

within_districts as (

    select
        area_code,
        area_name,
        area_type,
        parent_area_code,
        print_order
    from towns
    union all
    select
        area_code,
        area_name,
        area_type,
        parent_area_code,
        null as print_order
    from hierarchy

),

areas as (

    select
        area_code,
        area_name,
        area_type,
        force_code,
        force_name,
        csp,
        csp_name,
        partnership_code,
        parent_area_code,
        true as is_of_figures,
        print_order as first_order,
        null as second_order
    from figure_areas
    union all
    select
        parts.area_code,
        parts.area_name,
        parts.area_type,
        districts.force_code,
        districts.force_name,
        districts.csp,
        districts.csp_name,
        districts.partnership_code,
        districts.area_code as parent_area_code,
        false as is_of_figures,
        districts.print_order as first_order,
        parts.print_order as second_order
    from within_districts as parts
    left join districts on parts.parent_area_code = districts.area_code

),

ordered as (

    select
        areas.area_code,
        areas.area_name,
        areas.area_type,
        areas.force_code,
        areas.force_name,
        areas.csp,
        areas.csp_name,
        areas.partnership_code,
        areas.parent_area_code,
        named.first_day,
        named.last_day,
        parents.area_name as parent_name,
        -- Districts and larger areas keep their names where a town or ward has the same.
        count(*) over (partition by areas.area_name, areas.is_of_figures) = 1
        and (
            areas.is_of_figures
            or areas.area_name not in (select figure_areas.area_name from figure_areas)
        ) as has_own_name,
        count(*) over (partition by areas.area_name, areas.area_type) = 1 as is_named_by_type,
        count(*) over (
            partition by areas.area_name, areas.area_type, parents.area_name
        ) = 1 as is_named_by_parent,
        row_number() over (
            order by
                list_position(
                    [
                        'town', 'ward', 'small area', 'former district', 'county', 'region',
                        'nation'
                    ],
                    areas.area_type
                ) nulls first,
                areas.first_order,
                areas.second_order,
                areas.area_type,
                areas.area_name,
                areas.area_code
        )::integer as area_order
    from areas
    left join named on areas.area_code = named.area_code
    left join figure_areas as parents on areas.parent_area_code = parents.area_code

)

select
    area_code,
    area_name,
    area_type,
    force_code,
    force_name,
    csp,
    csp_name,
    partnership_code,
    case
        when has_own_name then area_name
        when is_named_by_type then area_name || ' (' || area_type || ')'
        when is_named_by_parent then area_name || ' (' || parent_name || ')'
        else area_name || ' (' || area_code || ')'
    end as area_label,
    area_order,
    parent_area_code,
    -- What adds up to the force area's recorded crime, once.
    area_type in ('district', 'unlocated', 'outside', 'unplaced', 'unstated') as is_part_of_force,
    first_day,
    last_day
from ordered
