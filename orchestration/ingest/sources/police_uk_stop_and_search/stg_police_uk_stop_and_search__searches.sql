-- Stops and searches of the deliveries in force, one row each.

select
    month,
    searched_on,
    served_name as force_name,
    search_type,
    object_of_search,
    search_outcome,
    outcome_linked,
    sex,
    age_range,
    officer_defined_ethnicity,
    self_defined_ethnicity,
    legislation,
    longitude,
    latitude,
    _delivery_id as delivery_id,
    _file_id as file_id
from {{ source('in_force', 'police_uk_stop_and_search') }}
