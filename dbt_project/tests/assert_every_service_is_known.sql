-- Rows of a youth offending service, prison or town that the partnerships file does not name are
-- counted nowhere. A warning that says what to add and where; the rows of others are published.
{{ config(
    severity='warn',
    meta={'dagster': {'ref': {'name': 'stg_youth_offending__registrations'}}}
) }}

select
    count(*) || case when count(*) = 1 then ' row' else ' rows' end
    || ' of the youth offending service ''' || youth_offending_service
    || ''' are counted nowhere: no partnership names it. Add it to the partnerships file under its '
    || 'force area: [[force_areas.youth_offending_services]] name = "' || youth_offending_service
    || '" districts = ["E07000999"], with the codes of its districts' as broken_rules
from {{ ref('stg_youth_offending__registrations') }}
where
    youth_offending_service not in (
        select known.youth_offending_service from {{ ref('int_youth_services__listed') }} as known
    )
group by youth_offending_service
union all
select
    count(*) || case when count(*) = 1 then ' figure' else ' figures' end
    || ' of the prison ''' || prison
    || ''' are counted nowhere: no partnership names it. Add it to the partnerships file under the '
    || 'force area in which its releases are counted: [[force_areas.prisons]] name = "'
    || prison || '"' as broken_rules
from {{ ref('stg_prison_releases__figures') }}
where
    prison not in (select known.prison from {{ ref('int_prisons__listed') }} as known)
group by prison
union all
select
    count(*) || case when count(*) = 1 then ' response' else ' responses' end
    || ' of the survey ''' || survey
    || ''' are counted nowhere: the partnerships file lists no such town of it. Add its towns '
    || 'under their force area, in printed order: [[force_areas.towns]] name = "New Town" '
    || 'district_code = "E07000999"' as broken_rules
from {{ ref('stg_community_survey__responses') }}
where
    row(survey, town) not in (
        select row(listed.survey, listed.town) from {{ ref('int_survey_towns__named') }} as listed
    )
group by survey
