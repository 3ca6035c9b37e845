-- Recorded crimes and incidents of the deliveries in force, one row each.

select
    month,
    served_name as force_name,
    nullif(lsoa_code, '') as lsoa_code,
    nullif(lsoa_name, '') as lsoa_name,
    crime_type as published_crime_type,
    nullif(location, '') as location,
    longitude,
    latitude,
    nullif(last_outcome_category, '') as last_outcome_category,
    nullif(crime_id, '') as crime_id,
    delivery_quarter,
    _delivery_id as delivery_id,
    _file_id as file_id
from {{ source('in_force', 'police_uk_street') }}
