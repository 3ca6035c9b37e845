-- Weights of the Crime Severity Score by offence, of the deliveries in force.

select
    edition,
    offence_category,
    -- 001, 1.0 and 1 are one code.
    regexp_replace(ltrim(offence_code, '0'), '[.]0*$', '') as offence_code,
    offence,
    weight,
    recorded_offences,
    delivery
from {{ source('in_force', 'crime_severity_weights') }}
