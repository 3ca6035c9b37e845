-- Each small area in a force's files that lies in no district of the force: is it outside, or may
-- it lie in a district of which the lookups do not know enough? Only evidence makes it outside:
-- a lookup that places it elsewhere, or a name that is another district's.

with strays as (

    select distinct
        counted.force_code,
        counted.stray_code,
        counted.named_district
    from {{ ref('int_crime__counted') }} as counted
    where counted.stray_code is not null

),

-- A small area that an edition splits over districts is placed nowhere, and may lie in each.
split_areas as (

    select
        editions.lsoa_code,
        list(distinct editions.district_code) as districts
    from {{ ref('int_small_areas__editions') }} as editions
    where
        editions.lsoa_code not in (
            select placed.lsoa_code from {{ ref('int_small_areas__placed') }} as placed
        )
    group by editions.lsoa_code

),

served as (

    select
        area_code,
        area_name
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'

),

-- The last edition that knows a district by this name.
known_names as (

    select
        district_name,
        max(last_vintage) as last_vintage
    from {{ ref('int_districts__known') }}
    where district_name is not null
    group by district_name

),

described as (

    select
        strays.force_code,
        strays.stray_code,
        strays.named_district,
        split_areas.districts as split_districts,
        placed.district_code as other_code,
        coalesce(other.district_name, strays.named_district) as other_name,
        coalesce(
            placed.district_code in (select served.area_code from served)
            or (
                placed.district_code is null
                and strays.named_district in (select served.area_name from served)
            ),
            false
        ) as is_named_as_served,
        -- Until when the other district is known to be one of its own.
        case
            when placed.district_code is not null then other.last_vintage
            else known_names.last_vintage
        end as other_until
    from strays
    left join split_areas on strays.stray_code = split_areas.lsoa_code
    left join {{ ref('int_small_areas__placed') }} as placed
        on strays.stray_code = placed.lsoa_code
    left join {{ ref('int_districts__known') }} as other
        on placed.district_code = other.district_code
    left join known_names on strays.named_district = known_names.district_name

),

pairs as (

    select
        described.force_code,
        described.stray_code,
        described.named_district,
        districts.area_code,
        described.other_code,
        described.other_name,
        described.is_named_as_served,
        described.other_until,
        described.split_districts,
        list_contains(districts.names, described.named_district)
        and (
            described.other_code is null
            or coalesce(districts.first_vintage > described.other_until, true)
        ) as bears_its_name,
        -- A district of a later edition than the last that knows the other one may have
        -- succeeded it; one that no edition knows, unless the small areas bear its own name.
        case
            when described.other_until is null then not districts.is_named_for_itself
            else coalesce(districts.first_vintage > described.other_until, true)
        end as may_have_succeeded
    from described
    inner join {{ ref('int_crime_districts__known') }} as districts
        on described.force_code = districts.force_code

),

named_in_force as (

    select
        force_code,
        stray_code,
        named_district,
        area_code,
        other_code,
        other_name,
        is_named_as_served,
        split_districts,
        bears_its_name,
        may_have_succeeded,
        coalesce(
            bool_or(bears_its_name) over (
                partition by force_code, stray_code, named_district
            ),
            false
        ) as is_named_by_one,
        count_if(list_contains(split_districts, area_code)) over (
            partition by force_code, stray_code, named_district
        ) as served_parts
    from pairs

),

judged as (

    select
        force_code,
        stray_code,
        named_district,
        area_code,
        other_code,
        other_name,
        is_named_by_one,
        is_named_as_served,
        case
            when split_districts is null then not is_named_by_one
            else served_parts < len(split_districts)
        end as may_be_outside,
        case
            when split_districts is not null then list_contains(split_districts, area_code)
            when other_code is not null and is_named_as_served then false
            when other_code is null and named_district is null then true
            when is_named_by_one then coalesce(bears_its_name, false)
            when is_named_as_served then false
            else may_have_succeeded
        end as may_lie_in_it
    from named_in_force

)

select
    force_code,
    stray_code,
    named_district,
    any_value(other_code) as other_code,
    any_value(other_name) as other_name,
    coalesce(list(area_code order by area_code) filter (may_lie_in_it), []) as possible_districts,
    bool_or(may_be_outside) as may_be_outside,
    bool_or(is_named_by_one) as bears_a_name_of_the_force,
    bool_or(is_named_as_served) as is_of_another_force
from judged
group by force_code, stray_code, named_district
