-- People managed by Integrated Offender Management, of the snapshots in force. Restricted: people.

select
    served_name as reported_by,
    snapshot_date,
    -- The person's pseudonym.
    pnc_id as person_ref,
    {{ sex_label('sex') }} as sex,
    -- Deliveries loaded by earlier versions may hold the age of a birth after the event.
    case when age_at_snapshot >= 0 then age_at_snapshot end as age_at_snapshot,
    district_code,
    lead_agency,
    location,
    accommodation,
    offence_code,
    offence_group,
    serious_acquisitive = 'Y' as is_serious_acquisitive,
    delivery
from {{ source('in_force', 'iom_cohort') }}
