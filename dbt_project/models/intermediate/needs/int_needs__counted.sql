-- Answers on each pathway by area of residence, sex and offence, as many as there are: combinations
-- without anyone are added in the mart.

with people as (

    select
        cohort,
        snapshot_date,
        person_ref,
        police_force,
        residence,
        sex,
        main_offence,
        delivery
    from {{ ref('stg_oasys_assessments__people') }}

),

areas as (

    select
        area_code,
        area_type,
        force_code,
        force_name
    from {{ ref('int_probation_areas__listed') }}

),

placed as (

    select
        people.cohort,
        people.police_force,
        people.snapshot_date,
        people.person_ref,
        {{ residence_area('people.residence', 'districts.area_code', 'forces.force_code') }}
            as area_code,
        forces.force_code,
        coalesce(people.sex, 'Not known') as sex,
        -- An offence that is not listed has no group, which a test finds.
        case when people.main_offence is null then 'Blank' else offences.category end
            as offence_group,
        people.delivery
    from people
    inner join areas as forces
        on people.police_force = forces.force_name and forces.area_type = 'force'
    left join {{ ref('int_district_codes__served') }} as districts
        on
            people.residence = districts.district_code
            and forces.force_code = districts.force_code
    left join {{ ref('probation_values') }} as offences
        on
            people.main_offence = offences.supplied_value
            and offences.dimension = 'Offence category'

)

select
    placed.cohort,
    placed.snapshot_date,
    placed.area_code,
    placed.force_code,
    placed.sex,
    placed.offence_group,
    answers.pathway,
    any_value(placed.delivery) as delivery,
    count(*) as caseload,
    count_if(answers.answer <> 'not assessed') as assessed,
    count_if(answers.answer = 'unanswered') as unanswered,
    count_if(answers.answer = 'identified') as identified
from placed
inner join {{ ref('stg_oasys_assessments__answers') }} as answers
    on
        placed.cohort = answers.cohort
        and placed.police_force = answers.police_force
        and placed.snapshot_date = answers.snapshot_date
        and placed.person_ref = answers.person_ref
group by
    placed.cohort,
    placed.snapshot_date,
    placed.area_code,
    placed.force_code,
    placed.sex,
    placed.offence_group,
    answers.pathway
