-- Areas and the larger areas that hold them, as the lookups in force say beside small areas and
-- districts: small area to ward, ward to district, district to county, force, region and others.
-- Which district holds a small area is in stg_area_lookups__small_areas.

with entries as (

    select
        kind,
        district_vintage as vintage,
        area_code,
        area_name,
        district_code,
        district_name,
        ward_code,
        ward_name,
        county_code,
        county_name,
        force_code,
        force_name,
        region_code,
        region_name,
        nation_code,
        nation_name,
        partnership_code,
        partnership_name
    from {{ source('in_force', 'area_lookups') }}
    where kind in ('lsoa_2011', 'lsoa_2021', 'district', 'district_force')
    qualify row_number() over (
        partition by kind, district_vintage, area_code, part_code
        order by delivery_quarter desc, delivery_version desc, _line desc
    ) = 1

),

pairs as (

    select
        kind,
        vintage,
        'small area' as area_type,
        area_code,
        area_name,
        'ward' as parent_type,
        ward_code as parent_code,
        ward_name as parent_name
    from entries
    where kind in ('lsoa_2011', 'lsoa_2021')
    union all
    select
        kind,
        vintage,
        'ward' as area_type,
        ward_code as area_code,
        ward_name as area_name,
        'district' as parent_type,
        district_code as parent_code,
        district_name as parent_name
    from entries
    where ward_code is not null
    union all
    select
        kind,
        vintage,
        'district' as area_type,
        district_code as area_code,
        district_name as area_name,
        'county' as parent_type,
        county_code as parent_code,
        county_name as parent_name
    from entries
    union all
    select
        kind,
        vintage,
        'district' as area_type,
        district_code as area_code,
        district_name as area_name,
        'force' as parent_type,
        force_code as parent_code,
        force_name as parent_name
    from entries
    union all
    select
        kind,
        vintage,
        'district' as area_type,
        district_code as area_code,
        district_name as area_name,
        'region' as parent_type,
        region_code as parent_code,
        region_name as parent_name
    from entries
    union all
    select
        kind,
        vintage,
        'district' as area_type,
        district_code as area_code,
        district_name as area_name,
        'nation' as parent_type,
        nation_code as parent_code,
        nation_name as parent_name
    from entries
    union all
    select
        kind,
        vintage,
        'district' as area_type,
        district_code as area_code,
        district_name as area_name,
        'partnership area' as parent_type,
        partnership_code as parent_code,
        partnership_name as parent_name
    from entries

)

-- Where there is no such area, as of a county above a unitary authority, lookups name the district
-- again or give a code of nines, which is of no kind.
select
    kind,
    vintage,
    area_type,
    area_code,
    parent_type,
    parent_code,
    max(area_name) as area_name,
    max(parent_name) as parent_name
from pairs
where {{ gss_area_type('parent_code') }} = parent_type
group by kind, vintage, area_type, area_code, parent_type, parent_code
