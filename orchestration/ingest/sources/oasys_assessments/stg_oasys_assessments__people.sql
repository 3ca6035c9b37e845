-- People on the caseload and whether each was assessed, of the snapshots in force. Needs are
-- counted only for who was assessed.

select
    provider as cohort,
    snapshot_date,
    crn as person_ref,
    served_name as police_force,
    residence,
    sex,
    main_offence,
    assessment_date,
    assessment_date is not null as is_assessed,
    delivery
from {{ source('in_force', 'oasys_assessments') }}
