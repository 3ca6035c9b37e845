-- People managed by Integrated Offender Management, of the snapshots in force. Restricted: people.

with people as (

    select *
    from {{ source('raw', 'iom_cohort') }}

),

deliveries_in_force as (

    select
        delivered_series,
        served_name,
        period,
        delivery_id,
        delivery
    from {{ source('control', 'in_force') }}
    where source = 'iom_cohort'

)

select
    deliveries_in_force.served_name as reported_by,
    people.snapshot_date,
    -- The person's pseudonym.
    people.pnc_id as person_ref,
    {{ sex_label('people.sex') }} as sex,
    -- Deliveries loaded by earlier versions may hold the age of a birth after the event.
    case when people.age_at_snapshot >= 0 then people.age_at_snapshot end as age_at_snapshot,
    people.district_code,
    people.lead_agency,
    people.location,
    people.accommodation,
    people.offence_code,
    people.offence_group,
    people.serious_acquisitive = 'Y' as is_serious_acquisitive,
    deliveries_in_force.delivery
from people
inner join deliveries_in_force
    on
        people.reported_by = deliveries_in_force.delivered_series
        and people.snapshot_date = deliveries_in_force.period
        and people._delivery_id = deliveries_in_force.delivery_id
