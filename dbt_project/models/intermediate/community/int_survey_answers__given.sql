-- Each answer that a respondent gave, once for their town and once for its district. A skipped
-- question gives no row.

with responses as (

    select
        survey,
        wave_start,
        response_id,
        town,
        unnest([
            struct_pack(question := 'feel_safe', answers := [feel_safe]),
            struct_pack(question := 'crime_asb_problem', answers := [crime_asb_problem]),
            struct_pack(
                question := 'issues_experienced',
                answers := string_split(issues_experienced, '; ')
            ),
            struct_pack(question := 'csp_focus', answers := [csp_focus])
        ]) as given
    from {{ ref('stg_community_survey__responses') }}

),

answers as (

    select
        responses.survey,
        responses.wave_start,
        responses.response_id,
        responses.town,
        responses.given.question,
        -- An issue ticked twice is one answer.
        unnest(list_distinct(responses.given.answers)) as answer
    from responses

)

select
    answers.survey,
    answers.wave_start,
    answers.response_id,
    areas.area_code,
    answers.question,
    answers.answer
from answers
inner join {{ ref('int_survey_towns__named') }} as towns
    on
        answers.survey = towns.survey
        and answers.town = towns.town
inner join {{ ref('int_survey_areas__listed') }} as areas
    on areas.area_code in (towns.area_code, towns.district_code)
where answers.answer is not null
