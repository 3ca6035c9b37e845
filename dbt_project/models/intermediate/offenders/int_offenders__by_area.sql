-- Each offender under each area that counts them: their district, its partnership and the force
-- area, or the remainder that has no district.

with offenders as (

    select
        force_code,
        period_start,
        person_ref,
        area_code,
        offences,
        first_offence_group,
        sex,
        age_years,
        ethnicity_code
    from {{ ref('int_offenders__charged') }}

),

counted as (

    select
        area_code,
        period_start,
        person_ref,
        offences,
        first_offence_group,
        sex,
        age_years,
        ethnicity_code
    from offenders
    union all
    select
        unnest(list_distinct([
            offenders.force_code, nullif(areas.partnership_code, areas.area_code)
        ])) as area_code,
        offenders.period_start,
        offenders.person_ref,
        offenders.offences,
        offenders.first_offence_group,
        offenders.sex,
        offenders.age_years,
        offenders.ethnicity_code
    from offenders
    inner join {{ ref('int_areas__listed') }} as areas on offenders.area_code = areas.area_code
    where areas.area_type = 'district'

)

select
    area_code,
    period_start,
    person_ref,
    offences,
    first_offence_group,
    sex,
    age_years,
    ethnicity_code
from counted
