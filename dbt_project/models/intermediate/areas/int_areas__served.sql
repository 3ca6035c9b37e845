-- Every area of the forces served that a lookup, list or history in force knows: their districts,
-- what lies in them and what they lie in, and the partnerships of the partnerships file.

with districts as (

    select distinct district_code
    from {{ ref('int_districts__served') }}

),

above_districts as (

    select distinct
        lookups.parent_type as area_type,
        lookups.parent_code as area_code
    from {{ ref('stg_area_lookups__parents') }} as lookups
    inner join districts on lookups.area_code = districts.district_code
    where lookups.area_type = 'district'
    union
    select
        history.parent_type as area_type,
        history.parent_code as area_code
    from {{ ref('stg_area_lookups__code_history') }} as history
    inner join districts on history.area_code = districts.district_code
    where history.parent_type in ('county', 'region')

),

areas as (

    select
        'district' as area_type,
        district_code as area_code
    from districts
    union
    select
        area_type,
        area_code
    from above_districts
    union
    select
        history.parent_type as area_type,
        history.parent_code as area_code
    from {{ ref('stg_area_lookups__code_history') }} as history
    inner join above_districts on history.area_code = above_districts.area_code
    where history.parent_type = 'region'
    union
    select
        'small area' as area_type,
        small_areas.lsoa_code as area_code
    from {{ ref('stg_area_lookups__small_areas') }} as small_areas
    inner join districts on small_areas.district_code = districts.district_code
    union
    select
        lookups.area_type,
        lookups.area_code
    from {{ ref('stg_area_lookups__parents') }} as lookups
    inner join districts on lookups.parent_code = districts.district_code
    where lookups.area_type = 'ward'
    union
    select
        history.area_type,
        history.area_code
    from {{ ref('stg_area_lookups__code_history') }} as history
    inner join districts on history.parent_code = districts.district_code
    where history.area_type = 'ward'
    union
    select
        'force' as area_type,
        force_code as area_code
    from {{ ref('int_areas__listed') }}
    union
    select
        'partnership' as area_type,
        {{ partnership_area_of('partnership_code', 'area_code', 'csp') }} as area_code
    from {{ ref('int_areas__listed') }}
    where area_type = 'district' and csp is not null
    union
    select
        'nation' as area_type,
        case when district_code like 'W%' then 'W92000004' else 'E92000001' end as area_code
    from districts

)

select
    area_type,
    area_code
from areas
