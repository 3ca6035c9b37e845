-- Each person managed by Integrated Offender Management, with the area that they are counted in and
-- what is counted about them. Restricted: people.

with districts as (

    select
        district_code,
        area_code,
        force_code
    from {{ ref('int_district_codes__served') }}

),

forces as (

    select
        force_code,
        force_name
    from {{ ref('int_areas__listed') }}
    where area_type = 'force'

),

people as (

    select
        reported_by,
        snapshot_date,
        person_ref,
        sex,
        district_code,
        lead_agency,
        location,
        accommodation,
        offence_group,
        is_serious_acquisitive,
        delivery,
        age_at_snapshot as age
    from {{ ref('stg_iom_cohort__people') }}

)

select
    people.snapshot_date,
    people.person_ref,
    forces.force_code,
    {{ placed_area('people.district_code', 'districts.area_code', 'forces.force_code') }}
        as area_code,
    people.sex,
    case
        when people.age is null then 'Not recorded'
        when people.age < 18 then 'Under 18'
        when people.age < 25 then '18 to 24'
        when people.age < 35 then '25 to 34'
        when people.age < 45 then '35 to 44'
        else '45 and over'
    end as age_group,
    people.lead_agency,
    people.location,
    coalesce(people.accommodation, 'Not recorded') as accommodation,
    people.offence_group,
    case when people.is_serious_acquisitive then 'Serious acquisitive' else 'Other' end
        as acquisitive_group,
    people.delivery
from people
inner join forces on people.reported_by = forces.force_name
left join districts
    on
        people.district_code = districts.district_code
        and forces.force_code = districts.force_code
