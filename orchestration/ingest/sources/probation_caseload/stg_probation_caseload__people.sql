-- People under probation supervision, of the snapshots in force.

with people as (

    select *
    from {{ source('raw', 'probation_caseload') }}

),

snapshots_in_force as (

    select
        delivered_series,
        served_name,
        period,
        delivery_id,
        delivery
    from {{ source('control', 'in_force') }}
    where source = 'probation_caseload'

)

select
    people.provider as cohort,
    people.snapshot_date,
    people.crn as person_ref,
    snapshots_in_force.served_name as police_force,
    people.residence,
    -- Deliveries loaded by earlier versions may hold the age of a birth after the event.
    case when people.age_at_snapshot >= 0 then people.age_at_snapshot end as age_at_snapshot,
    people.sex,
    people.ethnicity,
    people.order_type,
    people.main_offence,
    people.ogrs3_score,
    people.accommodation_status,
    people.disability,
    people.mental_health,
    people.self_harm,
    people.area_classification,
    people.first_release_date,
    snapshots_in_force.delivery
from people
inner join snapshots_in_force
    on
        people.provider || ', ' || people.police_force = snapshots_in_force.delivered_series
        and people.snapshot_date = snapshots_in_force.period
        and people._delivery_id = snapshots_in_force.delivery_id
