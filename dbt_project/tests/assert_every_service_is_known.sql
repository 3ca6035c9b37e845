-- Rows of a youth offending service or prison that no partnership names are counted nowhere. A
-- warning that says what to add and where; the rows of others are published.
{{ config(
    severity='warn',
    meta={'dagster': {'ref': {'name': 'stg_youth_offending__registrations'}}}
) }}

select
    count(*) || case when count(*) = 1 then ' row' else ' rows' end
    || ' of the youth offending service ''' || youth_offending_service
    || ''' are counted nowhere: no partnership names it. Add it to the partnerships file under '
    || '[[force_areas.youth_offending_services]], with its districts' as broken_rules
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
    || ''' are counted nowhere: no partnership names it. Add it to the partnerships file under '
    || '[[force_areas.prisons]] of the force area in which its releases are counted'
        as broken_rules
from {{ ref('stg_prison_releases__figures') }}
where
    prison not in (select known.prison from {{ ref('int_prisons__listed') }} as known)
group by prison
