-- Everyone charged in a financial year, once: where they lived and what they were charged with at
-- their first charge in it, and what is known of them from all charges in force.

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
        years.force_name,
        years.period_start,
        charges.person_ref,
        charges.charge_date,
        charges.offence_group,
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

-- A residence that the first charge lacks is taken from the earliest charge that says it.
offenders as (

    select
        force_code,
        force_name,
        period_start,
        person_ref,
        count(*) as offences,
        min(charge_date) as first_charge_date,
        arg_min(offence_group, charge_number) as first_offence_group,
        arg_min(residence_code, charge_number) as residence_code
    from charges
    group by force_code, force_name, period_start, person_ref

),

-- The least and the greatest age that the person can have had at the first charge.
aged as (

    select
        offenders.force_code,
        offenders.period_start,
        offenders.person_ref,
        offenders.offences,
        offenders.first_offence_group,
        offenders.residence_code,
        known.sex,
        known.ethnicity_code,
        {{ age_on('offenders.first_charge_date', 'known.born_by') }} as least_age,
        {{ age_on('offenders.first_charge_date', '(known.born_after + 1)') }} as greatest_age
    from offenders
    inner join {{ ref('int_offenders__known') }} as known
        on
            offenders.force_name = known.force_name
            and offenders.person_ref = known.person_ref

),

age_groups as (

    select
        category,
        age_from,
        age_to
    from {{ ref('offender_profile_categories') }}
    where dimension = 'age group'

),

districts as (

    select
        district_code,
        area_code,
        force_code
    from {{ ref('int_district_codes__served') }}

)

select
    aged.force_code,
    aged.period_start,
    aged.person_ref,
    case
        when aged.residence_code is null then aged.force_code || ':unlocated'
        else coalesce(districts.area_code, aged.force_code || ':outside')
    end as area_code,
    aged.offences,
    aged.first_offence_group,
    aged.sex,
    -- Null where the possible ages are of two groups: a guess would put somebody in the wrong one.
    case when age_groups.category is not null then aged.least_age end as age_years,
    aged.ethnicity_code
from aged
left join age_groups
    on
        aged.least_age between age_groups.age_from and age_groups.age_to
        and aged.greatest_age between age_groups.age_from and age_groups.age_to
left join districts
    on
        aged.residence_code = districts.district_code
        and aged.force_code = districts.force_code
