-- Responses to the community survey by wave and area, the change on the wave before, and how far a
-- percentage of all of them may be from the truth by chance alone.

with counted as (

    select
        wave_start,
        area_code,
        any_value(responses) as responses,
        any_value(delivery) as delivery
    from {{ ref('int_survey_answers__counted') }}
    group by wave_start, area_code

)

select
    {{ period_key("'quarter'", 'this_wave.wave_start') }} as period_key,
    'quarter' as period_type,
    this_wave.wave_start as period_start,
    (this_wave.wave_start + interval 3 month - interval 1 day)::date as period_end,
    {{ survey_wave_label('this_wave.wave_start') }} as period_label,
    this_wave.area_code,
    areas.area_name,
    areas.area_type,
    areas.district_code,
    areas.csp,
    areas.print_order as area_order,
    this_wave.responses,
    wave_before.wave_start as previous_period_start,
    wave_before.responses as previous_responses,
    this_wave.responses - wave_before.responses as change_in_responses,
    100.0 * (this_wave.responses - wave_before.responses) / nullif(wave_before.responses, 0)
        as change_percentage,
    -- Half the width of Wilson's limits of a half, which are the widest of all.
    50 * (
        {{ proportion_upper('(this_wave.responses / 2)', 'this_wave.responses') }}
        - {{ proportion_lower('(this_wave.responses / 2)', 'this_wave.responses') }}
    ) as margin_points,
    'responses' as unit,
    {{ survey_status('this_wave.responses') }} as status,
    {{ joined_deliveries('this_wave.delivery', 'wave_before.delivery') }} as deliveries
from counted as this_wave
left join counted as wave_before
    on
        this_wave.wave_start = wave_before.wave_start + interval 3 month
        and this_wave.area_code = wave_before.area_code
inner join {{ ref('int_survey_areas__listed') }} as areas on this_wave.area_code = areas.area_code
