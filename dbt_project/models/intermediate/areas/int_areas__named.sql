-- What each edition of the lookups and lists in force calls an area: of small areas by their own
-- year, of all others by the year of the districts.

with places as (

    select
        'small area' as area_type,
        lsoa_code as area_code,
        lsoa_name as area_name,
        vintage as edition
    from {{ ref('stg_area_lookups__small_areas') }}
    union all
    select
        'district' as area_type,
        district_code as area_code,
        district_name as area_name,
        district_vintage as edition
    from {{ ref('stg_area_lookups__small_areas') }}
    union all
    select
        'district' as area_type,
        district_code as area_code,
        district_name as area_name,
        vintage as edition
    from {{ ref('stg_area_lookups__districts') }}
    union all
    select
        area_type,
        area_code,
        area_name,
        vintage as edition
    from {{ ref('stg_area_lookups__parents') }}
    where area_type = 'ward'
    union all
    select
        parent_type as area_type,
        parent_code as area_code,
        parent_name as area_name,
        vintage as edition
    from {{ ref('stg_area_lookups__parents') }}
    where parent_type <> 'district'

)

select
    area_type,
    area_code,
    edition,
    max(area_name) as area_name
from places
group by area_type, area_code, edition
