-- People by area of residence and number of needs identified; null for who was not assessed, which
-- is not the same as having none. An unanswered pathway adds no need, so theirs is a least number.

with areas as (

    select
        area_code,
        area_type,
        force_code,
        force_name
    from {{ ref('int_probation_areas__listed') }}

),

answered as (

    select
        cohort,
        police_force,
        snapshot_date,
        person_ref,
        count_if(answer = 'identified') as needs,
        count_if(answer = 'unanswered') as unanswered
    from {{ ref('stg_oasys_assessments__answers') }}
    group by cohort, police_force, snapshot_date, person_ref

),

placed as (

    select
        people.cohort,
        people.snapshot_date,
        {{ residence_area('people.residence', 'districts.area_code', 'forces.force_code') }}
            as area_code,
        forces.force_code,
        case when people.is_assessed then answered.needs end as needs,
        people.is_assessed and answered.unanswered > 0 as has_unanswered,
        people.delivery
    from {{ ref('stg_oasys_assessments__people') }} as people
    inner join areas as forces
        on people.police_force = forces.force_name and forces.area_type = 'force'
    left join {{ ref('int_district_codes__served') }} as districts
        on
            people.residence = districts.district_code
            and forces.force_code = districts.force_code
    inner join answered
        on
            people.cohort = answered.cohort
            and people.police_force = answered.police_force
            and people.snapshot_date = answered.snapshot_date
            and people.person_ref = answered.person_ref

)

select
    cohort,
    snapshot_date,
    area_code,
    force_code,
    needs,
    any_value(delivery) as delivery,
    count(*) as offenders,
    count_if(has_unanswered) as offenders_with_unanswered
from placed
group by cohort, snapshot_date, area_code, force_code, needs
