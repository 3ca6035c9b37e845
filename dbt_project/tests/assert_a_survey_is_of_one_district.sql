-- A partnership asks its own district. A response that names a town of another one counts there, so
-- that a survey with several districts needs a look: a slip of the pen makes a wave of its own.
{{ config(
    severity='warn',
    meta={'dagster': {'ref': {'name': 'stg_community_survey__responses'}}}
) }}

select
    responses.survey || ', wave of ' || strftime(responses.wave_start, '%B %Y')
    || ': responses name towns of ' || count(distinct towns.district_code)
    || ' districts; ask the partnership which are right' as broken_rules
from {{ ref('stg_community_survey__responses') }} as responses
inner join {{ ref('int_survey_towns__named') }} as towns
    on
        responses.survey = towns.survey
        and responses.town = towns.town
group by responses.survey, responses.wave_start
having count(distinct towns.district_code) > 1
