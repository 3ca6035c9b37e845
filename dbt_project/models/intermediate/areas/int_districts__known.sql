-- Every district that a lookup or a list in force knows, and from which to which edition it does.

with editions as (

    select
        district_code,
        district_name,
        district_vintage as vintage
    from {{ ref('stg_area_lookups__small_areas') }}
    union all
    select
        district_code,
        district_name,
        vintage
    from {{ ref('stg_area_lookups__districts') }}

)

select
    district_code,
    arg_max(district_name, vintage) as district_name,
    min(vintage) as first_vintage,
    max(vintage) as last_vintage
from editions
group by district_code
