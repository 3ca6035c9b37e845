-- What is known of each district of the forces: since which edition lookups know it, whether they
-- hold small areas of it, and the names that its small areas bear, of which some may be those of
-- districts that it succeeded.

with districts as (

    select
        area_code,
        area_name,
        force_code
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'

),

official_names as (

    select
        area_code,
        area_name as name
    from districts
    union
    select
        districts.area_code,
        known.district_name as name
    from districts
    inner join {{ ref('int_districts__known') }} as known
        on districts.area_code = known.district_code
    where known.district_name is not null
    union
    select
        area_code,
        district_name as name
    from {{ ref('int_district_codes__served') }}
    where is_predecessor

),

-- Editions that have the district, or every district that it succeeded.
editions as (

    select
        small_areas.district_vintage as vintage,
        small_areas.district_code
    from {{ ref('stg_area_lookups__small_areas') }} as small_areas
    union
    select
        lists.vintage,
        lists.district_code
    from {{ ref('stg_area_lookups__districts') }} as lists

),

-- Where only lookups name the predecessors, they may lack one.
certain_codes as (

    select
        codes.area_code,
        codes.district_code,
        codes.first_districts,
        codes.area_first_districts
    from {{ ref('int_district_codes__served') }} as codes
    where
        not codes.is_predecessor
        or codes.area_code not in (
            select inferred.successor_code
            from {{ ref('int_district_changes__chained') }} as inferred
            where inferred.is_inferred
        )

),

whole_editions as (

    select
        codes.area_code,
        editions.vintage
    from certain_codes as codes
    inner join editions on codes.district_code = editions.district_code
    group by codes.area_code, editions.vintage
    having sum(codes.first_districts) >= any_value(codes.area_first_districts)

),

first_editions as (

    select
        area_code,
        min(vintage) as first_vintage
    from whole_editions
    group by area_code

),

borne_names as (

    select
        placed.district_code as area_code,
        regexp_extract(editions.lsoa_name, '^(.+) [0-9]{3}[A-Z]$', 1) as name
    from {{ ref('int_small_areas__placed') }} as placed
    inner join {{ ref('int_small_areas__editions') }} as editions
        on placed.lsoa_code = editions.lsoa_code
    union
    select
        area_code,
        named_district as name
    from {{ ref('int_crime__counted') }}
    where stray_code is null and named_district is not null

),

names as (

    select
        districts.area_code,
        list(distinct borne_names.name) filter (borne_names.name <> '') as borne,
        list(distinct official_names.name) as official
    from districts
    inner join official_names on districts.area_code = official_names.area_code
    left join borne_names on districts.area_code = borne_names.area_code
    group by districts.area_code

)

select
    districts.area_code,
    districts.area_name,
    districts.force_code,
    first_editions.first_vintage,
    districts.area_code in (
        select placed.district_code from {{ ref('int_small_areas__placed') }} as placed
    ) as has_small_areas,
    list_has_any(coalesce(names.borne, []), names.official) as is_named_for_itself,
    list_distinct(list_concat(coalesce(names.borne, []), names.official)) as names
from districts
inner join names on districts.area_code = names.area_code
left join first_editions
    on districts.area_code = first_editions.area_code
