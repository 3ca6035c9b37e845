-- Nobody is lost or counted twice on the way: the people of each force served are those of the
-- extracts, in every dimension, and so are the assessments; districts and remainders add up to the
-- force. Returns the counts that differ.

{{ config(meta={'dagster': {'ref': {'name': 'probation_profile'}}}) }}

with forces as (

    select force_name
    from {{ ref('int_probation_areas__listed') }}
    where area_type = 'force'

),

-- People of a force that nobody here serves are counted nowhere, which the load reports.
delivered as (

    select
        cohort,
        snapshot_date,
        'caseload' as what,
        count(*) as people
    from {{ ref('stg_probation_caseload__people') }}
    where police_force in (select forces.force_name from forces)
    group by cohort, snapshot_date
    union all
    select
        cohort,
        snapshot_date,
        'assessed' as what,
        count_if(is_assessed) as people
    from {{ ref('stg_oasys_assessments__people') }}
    where police_force in (select forces.force_name from forces)
    group by cohort, snapshot_date

),

published as (

    select
        cohort,
        period_end as snapshot_date,
        'caseload' as what,
        dimension as part,
        sum(people) filter (where area_type = 'force') as people,
        sum(people) filter (where area_type not in ('partnership', 'force')) as people_by_area
    from {{ ref('probation_profile') }}
    group by cohort, period_end, dimension
    union all
    select
        cohort,
        period_end as snapshot_date,
        'assessed' as what,
        pathway as part,
        sum(assessed) filter (where area_type = 'force') as people,
        sum(assessed) filter (where area_type not in ('partnership', 'force')) as people_by_area
    from {{ ref('need_pathways') }}
    where sex = 'All' and offence_group = 'All'
    group by cohort, period_end, pathway
    union all
    select
        cohort,
        period_end as snapshot_date,
        'assessed' as what,
        'needs' as part,
        sum(offenders) filter (where area_type = 'force' and needs is not null) as people,
        sum(offenders) filter (
            where area_type not in ('partnership', 'force') and needs is not null
        ) as people_by_area
    from {{ ref('need_complexity') }}
    group by cohort, period_end

)

select
    delivered.cohort,
    delivered.snapshot_date,
    delivered.what,
    published.part,
    delivered.people as delivered,
    published.people as published,
    published.people_by_area
from delivered
left join published
    on
        delivered.cohort = published.cohort
        and delivered.snapshot_date = published.snapshot_date
        and delivered.what = published.what
where
    delivered.people is distinct from published.people
    or delivered.people is distinct from published.people_by_area
