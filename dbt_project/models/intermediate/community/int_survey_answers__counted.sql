-- How many gave each answer, in every wave in force, area, question and answer offered: 0 where
-- nobody did. The base of a question is who answered it; who skipped it is not in it.

with waves as (

    select
        in_force.period as wave_start,
        in_force.delivery
    from {{ source('control', 'in_force') }} as in_force
    where in_force.source = 'community_survey'

),

responses as (

    select
        staged.wave_start,
        areas.area_code,
        count(*) as responses
    from {{ ref('stg_community_survey__responses') }} as staged
    inner join {{ ref('survey_towns') }} as towns on staged.town = towns.town
    inner join {{ ref('int_survey_areas__listed') }} as areas
        on areas.area_code in (towns.area_code, towns.district_code)
    group by staged.wave_start, areas.area_code

),

bases as (

    select
        wave_start,
        area_code,
        question,
        count(distinct response_id) as base
    from {{ ref('int_survey_answers__given') }}
    group by wave_start, area_code, question

),

counts as (

    select
        wave_start,
        area_code,
        question,
        answer,
        count(*) as answer_count
    from {{ ref('int_survey_answers__given') }}
    group by wave_start, area_code, question, answer

)

select
    waves.wave_start,
    areas.area_code,
    offered.question,
    offered.answer,
    coalesce(counts.answer_count, 0)::bigint as answer_count,
    coalesce(bases.base, 0)::bigint as base,
    coalesce(responses.responses, 0)::bigint as responses,
    waves.delivery
from waves
cross join {{ ref('int_survey_areas__listed') }} as areas
cross join {{ ref('survey_answers') }} as offered
left join responses
    on
        waves.wave_start = responses.wave_start
        and areas.area_code = responses.area_code
left join bases
    on
        waves.wave_start = bases.wave_start
        and areas.area_code = bases.area_code
        and offered.question = bases.question
left join counts
    on
        waves.wave_start = counts.wave_start
        and areas.area_code = counts.area_code
        and offered.question = counts.question
        and offered.answer = counts.answer
