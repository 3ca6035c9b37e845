-- People under probation supervision, of the snapshots in force.

select
    provider as cohort,
    snapshot_date,
    crn as person_ref,
    served_name as police_force,
    residence,
    -- Deliveries loaded by earlier versions may hold the age of a birth after the event.
    case when age_at_snapshot >= 0 then age_at_snapshot end as age_at_snapshot,
    sex,
    ethnicity,
    order_type,
    main_offence,
    ogrs3_score,
    accommodation_status,
    disability,
    mental_health,
    self_harm,
    area_classification,
    first_release_date,
    delivery
from {{ source('in_force', 'probation_caseload') }}
