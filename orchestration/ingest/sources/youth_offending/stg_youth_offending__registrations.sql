-- Registrations with a youth offending service, of the deliveries in force. Restricted: people.

select
    served_name as youth_offending_service,
    return_quarter,
    -- The person's pseudonym, unique within a service.
    yos_reference as person_ref,
    {{ sex_label('sex') }} as sex,
    -- Deliveries loaded by earlier versions may hold the age of a birth after the event.
    case when age_at_offence >= 0 then age_at_offence end as age_at_offence,
    district_code,
    registered_on,
    offence_date,
    offence_code,
    offence,
    offence_category,
    outcome,
    first_time_entrant = 'Y' as is_first_time_entrant,
    accommodation_need,
    delivery
from {{ source('in_force', 'youth_offending') }}
-- A registration that a later delivery sends again, late, counts as that one has it.
qualify row_number() over (
    partition by served_name, yos_reference, registered_on
    order by delivery_quarter desc, _file_id asc, _line asc
) = 1
