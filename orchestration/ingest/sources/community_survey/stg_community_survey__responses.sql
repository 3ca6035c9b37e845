-- Responses to the community survey, of the deliveries in force.

select
    -- Waves whose titles differ in capitals are of one survey.
    series as survey,
    wave_start,
    response_id,
    response_date,
    town,
    age_band,
    sex,
    postcode_outward,
    feel_safe,
    crime_asb_problem,
    issues_experienced,
    csp_focus,
    delivery
from {{ source('in_force', 'community_survey') }}
