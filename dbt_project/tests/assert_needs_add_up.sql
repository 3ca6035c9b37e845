-- The needs of an area are the same counted by pathway and by offender, and sexes and offence
-- groups add up to all. Returns the sums that differ.

{{ config(meta={'dagster': {'ref': {'name': 'need_pathways'}}}) }}

with by_pathway as (

    select
        cohort,
        period_end,
        area_code,
        sum(identified) filter (where sex = 'All' and offence_group = 'All') as needs,
        sum(identified) filter (where sex <> 'All' and offence_group = 'All') as needs_by_sex,
        sum(identified) filter (where sex = 'All' and offence_group <> 'All') as needs_by_offence
    from {{ ref('need_pathways') }}
    group by cohort, period_end, area_code

),

by_offender as (

    select
        cohort,
        period_end,
        area_code,
        sum(needs * offenders) as needs
    from {{ ref('need_complexity') }}
    group by cohort, period_end, area_code

)

select
    by_pathway.cohort,
    by_pathway.period_end,
    by_pathway.area_code,
    by_pathway.needs,
    by_pathway.needs_by_sex,
    by_pathway.needs_by_offence,
    by_offender.needs as needs_by_offender
from by_pathway
full join by_offender
    on
        by_pathway.cohort = by_offender.cohort
        and by_pathway.period_end = by_offender.period_end
        and by_pathway.area_code = by_offender.area_code
where
    by_pathway.needs is distinct from by_offender.needs
    or by_pathway.needs is distinct from by_pathway.needs_by_sex
    or by_pathway.needs is distinct from by_pathway.needs_by_offence
