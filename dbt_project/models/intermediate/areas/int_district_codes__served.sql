-- Every code under which records may carry a district served: its own, and those of the districts
-- that became part of it, so that its series continues across a recode or a merger.

with listed as (

    select
        area_code,
        area_name,
        force_code
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'

),

-- A district that is listed itself stays apart from what succeeded it.
predecessors as (

    select
        chained.district_code,
        chained.district_name,
        chained.successor_code as area_code,
        chained.changed_on
    from {{ ref('int_district_changes__chained') }} as chained
    where
        chained.successor_code in (select listed.area_code from listed)
        and chained.district_code not in (select listed.area_code from listed)
    qualify row_number() over (partition by chained.district_code order by chained.steps) = 1

),

codes as (

    select
        area_code as district_code,
        area_name as district_name,
        area_code,
        null::date as changed_on
    from listed
    union all
    select
        district_code,
        district_name,
        area_code,
        changed_on
    from predecessors

),

-- The codes of an area that each of them was made of in turn, and those that nothing became: the
-- districts as they were first.
parts as (

    select
        codes.district_code,
        codes.district_code as part_code
    from codes
    union all
    select
        chained.successor_code as district_code,
        chained.district_code as part_code
    from {{ ref('int_district_changes__chained') }} as chained
    inner join codes as wholes on chained.successor_code = wholes.district_code
    inner join codes
        on
            chained.district_code = codes.district_code
            and wholes.area_code = codes.area_code

),

first_districts as (

    select
        district_code,
        count(*)::integer as first_districts
    from parts
    where
        part_code not in (
            select wholes.district_code
            from parts as wholes
            where wholes.part_code <> wholes.district_code
        )
    group by district_code

)

select
    codes.district_code,
    codes.district_name,
    codes.area_code,
    listed.area_name,
    listed.force_code,
    codes.district_code <> codes.area_code as is_predecessor,
    codes.changed_on,
    first_districts.first_districts,
    max(first_districts.first_districts) over (partition by codes.area_code)
        as area_first_districts
from codes
inner join listed on codes.area_code = listed.area_code
inner join first_districts on codes.district_code = first_districts.district_code
