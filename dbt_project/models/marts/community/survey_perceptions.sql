-- Answers to the community survey by wave and area, each with the wave before beside it and
-- whether the difference is more than chance. Limits treat the respondents as a random sample,
-- which a survey that people choose to answer is not.

with compared as (

    {% set this = ['this_wave.answer_count', 'this_wave.base'] %}
    {% set before = ['wave_before.answer_count', 'wave_before.base'] %}
    select
        this_wave.wave_start,
        this_wave.area_code,
        this_wave.question,
        this_wave.answer,
        this_wave.answer_count,
        this_wave.base,
        this_wave.responses,
        wave_before.wave_start as previous_period_start,
        wave_before.answer_count as previous_answer_count,
        wave_before.base as previous_base,
        {{ difference(*(this + before)) }} as difference,
        {{ difference_lower(*(this + before)) }} as difference_lower,
        {{ difference_upper(*(this + before)) }} as difference_upper,
        {{ joined_deliveries('this_wave.delivery', 'wave_before.delivery') }} as deliveries
    from {{ ref('int_survey_answers__counted') }} as this_wave
    left join {{ ref('int_survey_answers__counted') }} as wave_before
        on
            this_wave.wave_start = wave_before.wave_start + interval 3 month
            and this_wave.area_code = wave_before.area_code
            and this_wave.question = wave_before.question
            and this_wave.answer = wave_before.answer

)

select
    {{ period_key("'quarter'", 'compared.wave_start') }} as period_key,
    'quarter' as period_type,
    compared.wave_start as period_start,
    (compared.wave_start + interval 3 month - interval 1 day)::date as period_end,
    {{ survey_wave_label('compared.wave_start') }} as period_label,
    compared.area_code,
    areas.area_name,
    areas.area_type,
    areas.district_code,
    areas.csp,
    areas.print_order as area_order,
    compared.question,
    offered.question_text,
    offered.several_answers,
    compared.answer,
    offered.answer_order,
    compared.answer_count,
    compared.base,
    compared.responses - compared.base as skipped,
    compared.responses,
    100 * {{ proportion('compared.answer_count', 'compared.base') }} as percentage,
    100 * {{ proportion_lower('compared.answer_count', 'compared.base') }} as percentage_lower,
    100 * {{ proportion_upper('compared.answer_count', 'compared.base') }} as percentage_upper,
    'percent of those who answered the question' as unit,
    compared.previous_period_start,
    compared.previous_answer_count,
    compared.previous_base,
    100 * {{ proportion('compared.previous_answer_count', 'compared.previous_base') }}
        as previous_percentage,
    100 * compared.difference as difference_points,
    100 * compared.difference_lower as difference_lower,
    100 * compared.difference_upper as difference_upper,
    case
        when compared.difference_lower > 0 then 'higher'
        when compared.difference_upper < 0 then 'lower'
        when compared.difference is not null then 'no clear change'
    end as change,
    {{ survey_status('compared.base') }} as status,
    {{ survey_status('compared.previous_base') }} as previous_status,
    compared.deliveries
from compared
inner join {{ ref('int_survey_areas__listed') }} as areas
    on compared.area_code = areas.area_code
inner join {{ ref('survey_answers') }} as offered
    on
        compared.question = offered.question
        and compared.answer = offered.answer
