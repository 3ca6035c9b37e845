-- People on the caseload and whether each was assessed, of the snapshots in force. Needs are
-- counted only for who was assessed.

with people as (

    select *
    from {{ source('raw', 'oasys_assessments') }}

),

snapshots_in_force as (

    select
        delivered_series,
        served_name,
        period,
        delivery_id,
        delivery
    from {{ source('control', 'in_force') }}
    where source = 'oasys_assessments'

)

select
    people.provider as cohort,
    people.snapshot_date,
    people.crn as person_ref,
    snapshots_in_force.served_name as police_force,
    people.residence,
    people.sex,
    people.main_offence,
    people.assessment_date,
    people.assessment_date is not null as is_assessed,
    snapshots_in_force.delivery
from people
inner join snapshots_in_force
    on
        people.provider || ', ' || people.police_force = snapshots_in_force.delivered_series
        and people.snapshot_date = snapshots_in_force.period
        and people._delivery_id = snapshots_in_force.delivery_id
