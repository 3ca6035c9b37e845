-- Everyone charged in a financial year, once: what was known of them at their first charge in it.

with years as (

    select
        force_code,
        force_name,
        period_start,
        period_end
    from {{ ref('int_charge_years__complete') }}

),

charges as (

    select
        years.force_code,
        years.period_start,
        charges.person_ref,
        charges.charge_date,
        charges.offence_group,
        charges.sex,
        charges.age_at_charge,
        charges.ethnicity_code,
        charges.residence_code,
        row_number() over (
            partition by years.force_code, years.period_start, charges.person_ref
            order by charges.charge_date, charges.offence_date, charges.file_id, charges.line
        ) as charge_number
    from {{ ref('stg_police_charges__charges') }} as charges
    inner join years
        on
            charges.force_name = years.force_name
            and charges.charge_month between years.period_start and years.period_end

),

-- The earliest charge that says it: a detail that the first charge lacks is taken from a later one.
offenders as (

    select
        force_code,
        period_start,
        person_ref,
        count(*) as offences,
        arg_min(offence_group, charge_number) as first_offence_group,
        arg_min(sex, charge_number) as sex,
        -- A birth after the charge is no birth.
        arg_min(age_at_charge, charge_number) filter (age_at_charge >= 0) as age_years,
        arg_min(ethnicity_code, charge_number) as ethnicity_code,
        arg_min(residence_code, charge_number) as residence_code
    from charges
    group by force_code, period_start, person_ref

),

districts as (

    select
        area_code,
        force_code
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'

)

select
    offenders.force_code,
    offenders.period_start,
    offenders.person_ref,
    case
        when offenders.residence_code is null then offenders.force_code || ':unlocated'
        else coalesce(districts.area_code, offenders.force_code || ':outside')
    end as area_code,
    offenders.offences,
    offenders.first_offence_group,
    offenders.sex,
    offenders.age_years,
    offenders.ethnicity_code
from offenders
left join districts
    on
        offenders.residence_code = districts.area_code
        and offenders.force_code = districts.force_code
