-- Outcomes of crimes of the deliveries in force, one row each.

select
    nullif(crime_id, '') as crime_id,
    month as outcome_month,
    served_name as force_name,
    outcome_type,
    nullif(lsoa_code, '') as lsoa_code,
    nullif(location, '') as location,
    delivery_quarter,
    _delivery_id as delivery_id,
    _file_id as file_id
from {{ source('in_force', 'police_uk_outcomes') }}
