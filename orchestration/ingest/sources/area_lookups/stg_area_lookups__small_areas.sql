-- Small areas (LSOA 2011 and 2021) and the districts that hold them, by edition of the lookup.
-- Every delivery in force adds its rows; the latest delivery's row counts for its key.

with entries as (

    select
        kind,
        vintage,
        district_vintage,
        area_code,
        area_name,
        part_code,
        part_name,
        district_code,
        district_name
    from {{ source('in_force', 'area_lookups') }}
    where kind in ('lsoa_2011', 'lsoa_2021')
    qualify row_number() over (
        partition by
            kind, district_vintage, area_code, part_code
        order by delivery_quarter desc, delivery_version desc, _line desc
    ) = 1

),

-- A row from 2011 to 2021 says where both small areas lie. Output areas (E00) are no small areas.
small_areas as (

    select
        kind,
        vintage,
        district_vintage,
        area_code as lsoa_code,
        area_name as lsoa_name,
        district_code,
        district_name
    from entries
    union all
    select
        'lsoa_2021' as kind,
        date '2021-01-01' as vintage,
        district_vintage,
        part_code as lsoa_code,
        part_name as lsoa_name,
        district_code,
        district_name
    from entries
    where kind = 'lsoa_2011' and part_code like '_01%'

)

select
    kind,
    vintage,
    district_vintage,
    lsoa_code,
    district_code,
    max(lsoa_name) as lsoa_name,
    max(district_name) as district_name
from small_areas
group by kind, vintage, district_vintage, lsoa_code, district_code
