-- Recorded crimes and incidents of the deliveries in force, one row each.

with crimes as (

    select *
    from {{ source('raw', 'police_uk_street') }}

),

months_in_force as (

    select
        delivered_series,
        served_name,
        period,
        delivery_id
    from {{ source('control', 'in_force') }}
    where source = 'police_uk_street'

)

select
    crimes.month,
    months_in_force.served_name as force_name,
    nullif(crimes.lsoa_code, '') as lsoa_code,
    nullif(crimes.lsoa_name, '') as lsoa_name,
    crimes.crime_type as published_crime_type,
    nullif(crimes.location, '') as location,
    crimes.longitude,
    crimes.latitude,
    nullif(crimes.last_outcome_category, '') as last_outcome_category,
    nullif(crimes.crime_id, '') as crime_id,
    crimes._delivery_id as delivery_id,
    crimes._file_id as file_id
from crimes
inner join months_in_force
    on
        crimes._delivery_id = months_in_force.delivery_id
        and crimes.month = months_in_force.period
        and crimes.reported_by = months_in_force.delivered_series
