-- Each small area with the district of every edition that knows it, and how the editions rank: one
-- whose district is served comes first, then one that gives a single district, then the newest.
-- The district is the one served where the edition names what became part of it.

with small_areas as (

    select
        small_areas.lsoa_code,
        small_areas.district_vintage,
        coalesce(served.area_code, small_areas.district_code) as district_code,
        max(small_areas.lsoa_name) as lsoa_name,
        bool_or(served.area_code is not null) as is_served
    from {{ ref('stg_area_lookups__small_areas') }} as small_areas
    left join {{ ref('int_district_codes__served') }} as served
        on small_areas.district_code = served.district_code
    group by
        small_areas.lsoa_code,
        small_areas.district_vintage,
        coalesce(served.area_code, small_areas.district_code)

),

editions as (

    select
        lsoa_code,
        district_vintage,
        district_code,
        lsoa_name,
        is_served,
        count(*) over (partition by lsoa_code, district_vintage) = 1 as is_single
    from small_areas

)

select
    lsoa_code,
    district_vintage,
    district_code,
    lsoa_name,
    is_served,
    is_single,
    row_number() over (
        partition by lsoa_code
        order by is_served desc, is_single desc, district_vintage desc, district_code asc
    )::integer as preference
from editions
