-- Each offender under each area that counts them, by the categories of the profile. Those of whom a
-- value is not known, or lies outside all categories, have a category of their own.

with offenders as (

    select
        area_code,
        period_start,
        person_ref,
        sex,
        age_years,
        ethnicity_code,
        first_offence_group
    from {{ ref('int_offenders__by_area') }}

),

ages as (

    select
        category,
        age_from,
        age_to
    from {{ ref('offender_profile_categories') }}
    where dimension = 'age group'

)

select
    offenders.area_code,
    offenders.period_start,
    offenders.person_ref,
    case offenders.sex when 'M' then 'Male' when 'F' then 'Female' else 'Not known' end as sex,
    coalesce(ages.category, 'Not known') as age_group,
    coalesce(ethnicities.heading, 'Refusal and Unknown') as ethnicity,
    offenders.first_offence_group
from offenders
left join ages on offenders.age_years between ages.age_from and ages.age_to
left join {{ ref('ethnicity_headings') }} as ethnicities
    on offenders.ethnicity_code = ethnicities.ethnicity_code
