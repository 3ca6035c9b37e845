-- Known offenders by area of residence and calendar year, of the deliveries in force.

select
    served_name as force_name,
    area_code,
    year(calendar_year)::integer as calendar_year,
    offenders,
    delivery
from {{ source('in_force', 'police_offender_counts') }}
