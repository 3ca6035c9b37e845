-- A young person enters the youth justice system once. A warning: only the service can say
-- which of two entries is the first.
{{ config(severity='warn') }}

select
    youth_offending_service
    || ': somebody is a first-time entrant more than once; ask the service which entry is the first'
        as broken_rules
from (
    select
        youth_offending_service,
        person_ref
    from {{ ref('stg_youth_offending__registrations') }}
    where is_first_time_entrant
    group by youth_offending_service, person_ref
    having count(*) > 1
)
group by youth_offending_service
