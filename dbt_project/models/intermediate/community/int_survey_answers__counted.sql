-- How many gave each answer, in every wave, area, question and answer offered: 0 where nobody did.
-- The base of a question is who answered it; who skipped it is not in it. From a district's first
-- wave to the last that any survey in force had, a quarter in which the district was not asked has
-- rows without counts, so that a gap shows as one.

with asked as (

    select
        staged.wave_start,
        towns.district_code,
        {{ all_deliveries('staged.delivery') }} as delivery
    from {{ ref('stg_community_survey__responses') }} as staged
    inner join {{ ref('int_survey_towns__named') }} as towns
        on
            staged.survey = towns.survey
            and staged.town = towns.town
    group by staged.wave_start, towns.district_code

),

spans as (

    select
        district_code,
        unnest(generate_series(
            min(wave_start), (select max(latest.wave_start) from asked as latest), interval 3 month
        ))::date as wave_start
    from asked
    group by district_code

),

waves as (

    select
        spans.wave_start,
        spans.district_code,
        asked.delivery
    from spans
    left join asked
        on
            spans.wave_start = asked.wave_start
            and spans.district_code = asked.district_code

),

responses as (

    select
        staged.wave_start,
        areas.area_code,
        count(*) as responses
    from {{ ref('stg_community_survey__responses') }} as staged
    inner join {{ ref('int_survey_towns__named') }} as towns
        on
            staged.survey = towns.survey
            and staged.town = towns.town
    inner join {{ ref('int_survey_areas__listed') }} as areas
        on areas.area_code in (towns.area_code, towns.district_code)
    group by staged.wave_start, areas.area_code

),

bases as (

    select
        wave_start,
        area_code,
        question,
        count(distinct row(survey, response_id)) as base
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

),

completed as (

    select
        waves.wave_start,
        areas.area_code,
        offered.question,
        offered.answer,
        case when waves.delivery is not null then coalesce(counts.answer_count, 0) end::bigint
            as answer_count,
        case when waves.delivery is not null then coalesce(bases.base, 0) end::bigint as base,
        case when waves.delivery is not null then coalesce(responses.responses, 0) end::bigint
            as responses,
        waves.delivery
    from waves
    inner join {{ ref('int_survey_areas__listed') }} as areas
        on waves.district_code = areas.district_code
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

),

-- A partnership of several districts is known for a wave in which all of them asked.
partnerships as (

    select
        completed.wave_start,
        summed.area_code,
        completed.question,
        completed.answer,
        case
            when count(completed.responses) = max(summed.districts)
                then sum(completed.answer_count)
        end as answer_count,
        case
            when count(completed.responses) = max(summed.districts)
                then sum(completed.base)
        end as base,
        case
            when count(completed.responses) = max(summed.districts)
                then sum(completed.responses)
        end as responses,
        case
            when count(completed.responses) = max(summed.districts)
                then {{ all_deliveries('completed.delivery') }}
        end as delivery
    from completed
    inner join {{ ref('int_areas__summed') }} as summed
        on completed.area_code = summed.district_code
    inner join {{ ref('int_survey_areas__listed') }} as areas on summed.area_code = areas.area_code
    where areas.area_type = 'partnership'
    group by completed.wave_start, summed.area_code, completed.question, completed.answer

)

select
    wave_start,
    area_code,
    question,
    answer,
    answer_count,
    base,
    responses,
    delivery
from completed
union all
select
    wave_start,
    area_code,
    question,
    answer,
    answer_count::bigint as answer_count,
    base::bigint as base,
    responses::bigint as responses,
    delivery
from partnerships
