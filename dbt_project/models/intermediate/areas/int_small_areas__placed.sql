-- Each small area once, with its district. Codes that did not change are in both the 2011 and the
-- 2021 lookup; the newer one is taken, and a test holds them to the same district.

with small_areas as (

    select
        lsoa_code,
        vintage,
        district_code
    from {{ ref('stg_area_lookups__small_areas') }}

)

select
    lsoa_code,
    arg_max(district_code, vintage) as district_code
from small_areas
group by lsoa_code
