-- Districts of the forces served with those that went before and came after them, each with the
-- listed district that it became, or that became it.

with listed as (

    select
        area_code,
        force_code,
        {{ partnership_area_of('partnership_code', 'area_code', 'csp') }}
            as partnership_area_code
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'

),

related as (

    select
        followed.district_code,
        listed.area_code as listed_code,
        listed.force_code,
        listed.partnership_area_code,
        -followed.steps as steps
    from listed
    inner join {{ ref('int_districts__followed') }} as followed
        on listed.area_code = followed.later_code
    union
    select
        followed.later_code as district_code,
        listed.area_code as listed_code,
        listed.force_code,
        listed.partnership_area_code,
        followed.steps
    from listed
    inner join {{ ref('int_districts__followed') }} as followed
        on listed.area_code = followed.district_code

)

select
    district_code,
    listed_code,
    force_code,
    partnership_area_code,
    steps
from related
