-- Registrations with a youth offending service, of the deliveries in force. Restricted: people.

with registrations as (

    select *
    from {{ source('raw', 'youth_offending') }}

),

deliveries_in_force as (

    select
        delivered_series,
        served_name,
        period,
        delivery_id,
        quarter,
        delivery
    from {{ source('control', 'in_force') }}
    where source = 'youth_offending'

)

select
    deliveries_in_force.served_name as youth_offending_service,
    registrations.return_quarter,
    -- The person's pseudonym, unique within a service.
    registrations.yos_reference as person_ref,
    {{ sex_label('registrations.sex') }} as sex,
    -- Deliveries loaded by earlier versions may hold the age of a birth after the event.
    case
        when registrations.age_at_offence >= 0 then registrations.age_at_offence
    end as age_at_offence,
    registrations.district_code,
    registrations.registered_on,
    registrations.offence_date,
    registrations.offence_code,
    registrations.offence,
    registrations.offence_category,
    registrations.outcome,
    registrations.first_time_entrant = 'Y' as is_first_time_entrant,
    registrations.accommodation_need,
    deliveries_in_force.delivery
from registrations
inner join deliveries_in_force
    on
        registrations.youth_offending_service = deliveries_in_force.delivered_series
        and registrations.return_quarter = deliveries_in_force.period
        and registrations._delivery_id = deliveries_in_force.delivery_id
-- A registration that a later delivery sends again, late, counts as that one has it.
qualify row_number() over (
    partition by
        deliveries_in_force.served_name,
        registrations.yos_reference,
        registrations.registered_on
    order by
        deliveries_in_force.quarter desc,
        registrations._file_id asc,
        registrations._line asc
) = 1
