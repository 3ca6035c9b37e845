-- What is known of each person charged, reconciled once over all charges in force: sex and
-- ethnicity as the earliest charge that says them has them, and the days between which the person
-- was born, as far as the ages of all charges tell. Where ages contradict each other, those of the
-- earliest charge count. It is never a table: the days between which somebody was born are
-- personal and are not kept.
{{ config(materialized='ephemeral') }}

with charges as (

    select
        force_name,
        person_ref,
        charge_date,
        offence_date,
        sex,
        ethnicity_code,
        age_at_charge,
        age_at_offence,
        row_number() over (
            partition by force_name, person_ref
            order by charge_date, offence_date, file_id, line
        ) as charge_number
    from {{ ref('stg_police_charges__charges') }}

),

bounds as (

    select
        force_name,
        person_ref,
        charge_number,
        {{ born_after('charge_date', 'age_at_charge') }} as born_after,
        {{ born_by('charge_date', 'age_at_charge') }} as born_by
    from charges
    where age_at_charge >= 0
    union all
    select
        force_name,
        person_ref,
        charge_number,
        {{ born_after('offence_date', 'age_at_offence') }} as born_after,
        {{ born_by('offence_date', 'age_at_offence') }} as born_by
    from charges
    where age_at_offence >= 0

),

births as (

    select
        force_name,
        person_ref,
        max(born_after) as born_after,
        min(born_by) as born_by,
        min(charge_number) as first_charge
    from bounds
    group by force_name, person_ref

),

first_births as (

    select
        bounds.force_name,
        bounds.person_ref,
        max(bounds.born_after) as born_after,
        min(bounds.born_by) as born_by
    from bounds
    inner join births
        on
            bounds.force_name = births.force_name
            and bounds.person_ref = births.person_ref
            and bounds.charge_number = births.first_charge
    group by bounds.force_name, bounds.person_ref

),

people as (

    select
        force_name,
        person_ref,
        arg_min(sex, charge_number) as sex,
        arg_min(ethnicity_code, charge_number) as ethnicity_code
    from charges
    group by force_name, person_ref

)

select
    people.force_name,
    people.person_ref,
    people.sex,
    people.ethnicity_code,
    case
        when births.born_after < births.born_by then births.born_after
        else first_births.born_after
    end as born_after,
    case
        when births.born_after < births.born_by then births.born_by
        else first_births.born_by
    end as born_by
from people
left join births
    on
        people.force_name = births.force_name
        and people.person_ref = births.person_ref
left join first_births
    on
        people.force_name = first_births.force_name
        and people.person_ref = first_births.person_ref
