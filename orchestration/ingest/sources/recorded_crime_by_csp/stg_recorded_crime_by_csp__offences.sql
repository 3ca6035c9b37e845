-- Recorded offences of the deliveries in force, by partnership, quarter and offence code.

select
    quarter,
    trim(police_force) as police_force,
    trim(csp_name) as csp_name,
    trim(offence_group) as published_offence_group,
    trim(offence_subgroup) as offence_subgroup,
    offence_code,
    offences,
    delivery
from {{ source('in_force', 'recorded_crime_by_csp') }}
