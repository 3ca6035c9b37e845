-- Districts that an edition of the lookups has and a later one, which has their small areas, does
-- not. What the later edition makes of their small areas says which district followed.

with editions as (

    select distinct
        lsoa_code,
        district_vintage,
        district_code
    from {{ ref('stg_area_lookups__small_areas') }}

),

districts as (

    select
        district_code,
        max(district_vintage) as last_edition
    from editions
    group by district_code

),

-- Only districts that the newest edition of all lacks can have ended.
held as (

    select
        districts.district_code,
        districts.last_edition,
        editions.lsoa_code
    from districts
    inner join editions
        on
            districts.district_code = editions.district_code
            and districts.last_edition = editions.district_vintage
    where districts.last_edition < (select max(newest.district_vintage) from editions as newest)

),

later as (

    select
        held.district_code,
        held.last_edition,
        editions.district_vintage as next_edition,
        count(distinct held.lsoa_code) as found_areas,
        count(distinct editions.district_code) as later_districts,
        any_value(editions.district_code) as later_district
    from held
    inner join editions
        on
            held.lsoa_code = editions.lsoa_code
            and held.last_edition < editions.district_vintage
    group by held.district_code, held.last_edition, editions.district_vintage

),

sizes as (

    select
        district_code,
        count(distinct lsoa_code) as all_areas
    from held
    group by district_code

)

select
    later.district_code,
    later.last_edition,
    later.next_edition,
    case
        when later.later_districts = 1 and later.found_areas = sizes.all_areas
            then later.later_district
    end as successor_code
from later
inner join sizes on later.district_code = sizes.district_code
qualify row_number() over (partition by later.district_code order by later.next_edition) = 1
