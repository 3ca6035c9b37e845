-- What is known of each young person of a service, reconciled once over all registrations in
-- force: sex as the earliest registration that records it has it, and the days between which the
-- person was born, as far as the ages of all registrations tell. Where ages contradict each other,
-- the earliest counts. It is never a table: the days between which somebody was born are personal
-- and are not kept.
{{ config(materialized='ephemeral') }}

with registrations as (

    select
        youth_offending_service,
        person_ref,
        nullif(sex, 'Not recorded') as sex,
        {{ born_after('offence_date', 'age_at_offence') }} as born_after,
        {{ born_by('offence_date', 'age_at_offence') }} as born_by,
        row_number() over (
            partition by youth_offending_service, person_ref
            order by return_quarter, registered_on, offence_date
        ) as registration_number
    from {{ ref('stg_youth_offending__registrations') }}

),

people as (

    select
        youth_offending_service,
        person_ref,
        arg_min(sex, registration_number) as sex,
        max(born_after) as born_after,
        min(born_by) as born_by,
        arg_min(born_after, registration_number) as first_born_after,
        arg_min(born_by, registration_number) as first_born_by
    from registrations
    group by youth_offending_service, person_ref

)

select
    youth_offending_service,
    person_ref,
    coalesce(sex, 'Not recorded') as sex,
    case when born_after < born_by then born_after else first_born_after end as born_after,
    case when born_after < born_by then born_by else first_born_by end as born_by
from people
