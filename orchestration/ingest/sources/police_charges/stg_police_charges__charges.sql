-- Offences charged, of the deliveries in force, one row an offence and person.

with identified as (

    select
        served_name as force_name,
        charge_month,
        -- A person is a PNC identifier, under whatever references of the force. A row without one
        -- has that of its reference, where the reference has one only; otherwise its reference
        -- identifies the person. A reference of two PNC identifiers is of two people, and a
        -- warning.
        coalesce(
            pnc_id,
            case
                when
                    min(pnc_id) over reference_of_force
                    = max(pnc_id) over reference_of_force
                    then min(pnc_id) over reference_of_force
            end,
            nominal_ref
        ) as person_ref,
        offence_ref,
        charge_date,
        offence_date,
        offence_code,
        offence_group,
        nullif(sex, 'U') as sex,
        age_at_offence,
        age_at_charge,
        nullif(ethnicity_code, 'NS') as ethnicity_code,
        residence_code,
        delivery,
        delivery_quarter as quarter,
        _file_id as file_id,
        _line as line
    from {{ source('in_force', 'police_charges') }}
    window reference_of_force as (partition by served_name, nominal_ref)

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
