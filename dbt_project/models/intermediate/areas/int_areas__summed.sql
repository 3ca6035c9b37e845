-- Areas that are the sum of districts, with each of these: partnerships of several districts, and
-- force areas. One that is not whole (districts of the force are not named) has no known sum.

with districts as (

    select
        area_code,
        partnership_code,
        force_code
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'

),

members as (

    select
        districts.force_code as area_code,
        districts.area_code as district_code,
        named.is_whole
    from districts
    inner join {{ ref('int_force_districts__named') }} as named
        on districts.force_code = named.force_code
    union all
    select
        partnership_code as area_code,
        area_code as district_code,
        true as is_whole
    from districts
    where partnership_code <> area_code

)

select
    area_code,
    district_code,
    is_whole,
    (count(*) over (partition by area_code))::integer as districts
from members
