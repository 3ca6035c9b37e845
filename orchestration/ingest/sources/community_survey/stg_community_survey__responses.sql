-- Responses to the community survey, of the deliveries in force.

with responses as (

    select *
    from {{ source('raw', 'community_survey') }}

),

waves_in_force as (

    select
        series,
        delivered_series,
        period,
        delivery_id,
        delivery
    from {{ source('control', 'in_force') }}
    where source = 'community_survey'

)

select
    -- Waves whose titles differ in capitals are of one survey.
    waves_in_force.series as survey,
    responses.wave_start,
    responses.response_id,
    responses.response_date,
    responses.town,
    responses.age_band,
    responses.sex,
    responses.postcode_outward,
    responses.feel_safe,
    responses.crime_asb_problem,
    responses.issues_experienced,
    responses.csp_focus,
    waves_in_force.delivery
from responses
inner join waves_in_force
    on
        responses.survey = waves_in_force.delivered_series
        and responses.wave_start = waves_in_force.period
        and responses._delivery_id = waves_in_force.delivery_id
