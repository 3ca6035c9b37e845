-- Every small area that lies in a district of a force served, and under which code it is counted:
-- one of 2011 without a boundary that became one of 2021 with a boundary is counted as that.

with successors as (

    select
        predecessor_code,
        any_value(successor_code) as successor_code
    from {{ ref('stg_area_lookups__small_area_changes') }}
    group by predecessor_code
    having count(distinct successor_code) = 1

),

placed as (

    select
        placed.lsoa_code,
        editions.lsoa_name,
        areas.area_code,
        areas.force_code
    from {{ ref('int_small_areas__placed') }} as placed
    inner join {{ ref('int_areas__listed') }} as areas
        on placed.district_code = areas.area_code and areas.area_type = 'district'
    inner join {{ ref('int_small_areas__editions') }} as editions
        on placed.lsoa_code = editions.lsoa_code and editions.preference = 1

)

select
    placed.lsoa_code,
    placed.lsoa_name,
    placed.area_code,
    placed.force_code,
    case
        when own.boundary is null and later.boundary is not null then later.small_area_code
        else placed.lsoa_code
    end as small_area_code
from placed
left join {{ ref('stg_area_lookups__boundaries') }} as own
    on placed.lsoa_code = own.small_area_code
left join successors on placed.lsoa_code = successors.predecessor_code
left join {{ ref('stg_area_lookups__boundaries') }} as later
    on successors.successor_code = later.small_area_code
