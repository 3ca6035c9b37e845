-- Offences charged, of the deliveries in force, one row an offence and person.

with charges as (

    select *
    from {{ source('raw', 'police_charges') }}

),

months_in_force as (

    select
        delivered_series,
        served_name,
        period,
        delivery_id,
        quarter,
        delivery
    from {{ source('control', 'in_force') }}
    where source = 'police_charges'

),

identified as (

    select
        months_in_force.served_name as force_name,
        charges.charge_month,
        -- A person is a PNC identifier, under whatever references of the force. A row without one
        -- has that of its reference, where the reference has one only; otherwise its reference
        -- identifies the person. A reference of two PNC identifiers is of two people, and a
        -- warning.
        coalesce(
            charges.pnc_id,
            case
                when
                    min(charges.pnc_id) over reference_of_force
                    = max(charges.pnc_id) over reference_of_force
                    then min(charges.pnc_id) over reference_of_force
            end,
            charges.nominal_ref
        ) as person_ref,
        charges.offence_ref,
        charges.charge_date,
        charges.offence_date,
        charges.offence_code,
        charges.offence_group,
        nullif(charges.sex, 'U') as sex,
        charges.age_at_offence,
        charges.age_at_charge,
        nullif(charges.ethnicity_code, 'NS') as ethnicity_code,
        charges.residence_code,
        months_in_force.delivery,
        months_in_force.quarter,
        charges._file_id as file_id,
        charges._line as line
    from charges
    inner join months_in_force
        on
            charges._delivery_id = months_in_force.delivery_id
            and charges.charge_month = months_in_force.period
            and charges.force = months_in_force.delivered_series
    window reference_of_force as (partition by months_in_force.served_name, charges.nominal_ref)

)

select
    force_name,
    charge_month,
    person_ref,
    offence_ref,
    charge_date,
    offence_date,
    offence_code,
    offence_group,
    sex,
    age_at_offence,
    age_at_charge,
    ethnicity_code,
    residence_code,
    delivery,
    file_id,
    line
from identified
-- One offence counts once for a person, though it is listed under two references or in two months;
-- of a late row and the row that it corrects, the late one counts. No order is by a pseudonym: it
-- would change with the key.
qualify row_number() over (
    partition by force_name, person_ref, offence_ref
    order by charge_date asc, quarter desc, file_id asc, line asc
) = 1
