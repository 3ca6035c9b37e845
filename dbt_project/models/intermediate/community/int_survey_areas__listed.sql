-- Areas that the community survey is shown for: each town that it names, the towns' district, and
-- the partnership of several districts that holds it.

with towns as (

    select
        towns.area_code,
        towns.town as area_name,
        towns.district_code,
        towns.print_order,
        districts.csp
    from {{ source('control', 'partnership_towns') }} as towns
    inner join {{ ref('int_areas__listed') }} as districts
        on towns.district_code = districts.area_code
    -- A survey is its partnership's own.
    where districts.csp is not null

),

districts as (

    select
        area_code,
        area_name,
        csp,
        partnership_code
    from {{ ref('int_areas__listed') }}
    where
        area_type = 'district'
        and area_code in (select towns.district_code from towns)

)

select
    area_code,
    area_name,
    'town' as area_type,
    district_code,
    csp,
    print_order
from towns
union all
select
    area_code,
    area_name,
    'district' as area_type,
    area_code as district_code,
    csp,
    -- A district follows its towns.
    1000 as print_order
from districts
union all
select
    area_code,
    area_name,
    'partnership' as area_type,
    null as district_code,
    csp,
    2000 as print_order
from {{ ref('int_areas__listed') }}
where
    area_type = 'partnership'
    and area_code in (select districts.partnership_code from districts)
