-- Needs linked to offending, by cohort, area, sex, offence group and pathway: how many were
-- assessed, and in how many of those who answered the need was identified. An area is compared
-- with the rest of the force's cohort, which does not hold it, so that the two groups are
-- independent.

with counted as (

    select
        cohort,
        snapshot_date,
        area_code,
        force_code,
        sex,
        offence_group,
        pathway,
        delivery,
        caseload,
        assessed,
        unanswered,
        identified
    from {{ ref('int_needs__counted') }}

),

-- The force's area holds everyone, whether their district is known or not.
in_areas as (

    select
        counted.cohort,
        counted.snapshot_date,
        {{ areas_counted_in('counted.area_code', 'areas.partnership_code', 'counted.force_code') }}
            as area_code,
        counted.sex,
        counted.offence_group,
        counted.pathway,
        counted.caseload,
        counted.assessed,
        counted.unanswered,
        counted.identified
    from counted
    left join {{ ref('int_areas__listed') }} as areas on counted.area_code = areas.area_code

),

summed as (

    select
        cohort,
        snapshot_date,
        area_code,
        pathway,
        case when grouping(sex) = 1 then 'All' else sex end as sex,
        case when grouping(offence_group) = 1 then 'All' else offence_group end as offence_group,
        sum(caseload) as caseload,
        sum(assessed) as assessed,
        sum(unanswered) as unanswered,
        sum(identified) as identified
    from in_areas
    group by cohort, snapshot_date, area_code, pathway, cube(sex, offence_group)

),

snapshots as (

    select
        cohort,
        snapshot_date,
        force_code,
        any_value(delivery) as delivery
    from counted
    group by cohort, snapshot_date, force_code

),

sexes as (

    select category as sex
    from {{ ref('probation_categories') }}
    where dimension = 'Gender'
    union all
    select 'All' as sex

),

offence_groups as (

    select category as offence_group
    from {{ ref('probation_categories') }}
    where dimension = 'Offence category'
    union all
    select 'All' as offence_group

),

-- Where an extract is in force, a combination without people is zero and not missing.
completed as (

    select
        snapshots.cohort,
        snapshots.snapshot_date,
        areas.area_code,
        areas.area_name,
        areas.area_type,
        areas.force_code,
        areas.csp,
        sexes.sex,
        offence_groups.offence_group,
        pathways.title as pathway,
        coalesce(summed.caseload, 0)::bigint as caseload,
        coalesce(summed.assessed, 0)::bigint as assessed,
        coalesce(summed.unanswered, 0)::bigint as unanswered,
        coalesce(summed.identified, 0)::bigint as identified,
        snapshots.delivery
    from snapshots
    inner join {{ ref('int_probation_areas__listed') }} as areas
        on snapshots.force_code = areas.force_code
    cross join sexes
    cross join offence_groups
    cross join {{ ref('oasys_pathways') }} as pathways
    left join summed
        on
            snapshots.cohort = summed.cohort
            and snapshots.snapshot_date = summed.snapshot_date
            and areas.area_code = summed.area_code
            and sexes.sex = summed.sex
            and offence_groups.offence_group = summed.offence_group
            and pathways.pathway = summed.pathway

),

measured as (

    select
        cohort,
        snapshot_date,
        area_code,
        area_name,
        area_type,
        force_code,
        csp,
        sex,
        offence_group,
        pathway,
        caseload,
        assessed,
        unanswered,
        assessed - unanswered as answered,
        identified,
        delivery
    from completed

),

-- Null for the force itself, which has no rest.
with_rest as (

    select
        measured.cohort,
        measured.snapshot_date,
        measured.area_code,
        measured.area_name,
        measured.area_type,
        measured.csp,
        measured.sex,
        measured.offence_group,
        measured.pathway,
        measured.caseload,
        measured.assessed,
        measured.unanswered,
        measured.answered,
        measured.identified,
        measured.delivery,
        case when measured.area_type <> 'force' then forces.answered - measured.answered end
            as rest_answered,
        case when measured.area_type <> 'force' then forces.identified - measured.identified end
            as rest_identified
    from measured
    inner join measured as forces
        on
            measured.cohort = forces.cohort
            and measured.snapshot_date = forces.snapshot_date
            and measured.force_code = forces.area_code
            and measured.sex = forces.sex
            and measured.offence_group = forces.offence_group
            and measured.pathway = forces.pathway

)

{% set here = ['identified', 'answered'] %}
{% set rest = ['rest_identified', 'rest_answered'] %}
select
    cohort,
    {{ period_key("'snapshot'", 'snapshot_date') }} as period_key,
    'snapshot' as period_type,
    snapshot_date as period_start,
    snapshot_date as period_end,
    strftime(snapshot_date, '%B %Y') as period_label,
    area_code,
    area_name,
    area_type,
    csp,
    sex,
    offence_group,
    pathway,
    caseload,
    caseload - assessed as not_assessed,
    assessed,
    unanswered,
    answered,
    identified,
    {{ proportion(*here) }} as proportion,
    {{ proportion_lower(*here) }} as proportion_lower,
    {{ proportion_upper(*here) }} as proportion_upper,
    'proportion of assessed offenders with an answer' as unit,
    {{ proportion(*rest) }} as rest_proportion,
    {{ difference(*(here + rest)) }} as difference_from_rest,
    {{ difference_lower(*(here + rest)) }} as difference_lower,
    {{ difference_upper(*(here + rest)) }} as difference_upper,
    {{ comparison(difference_lower(*(here + rest)), difference_upper(*(here + rest))) }}
        as compared_with_rest,
    {{ row_status(unavailable='false', not_applicable='answered = 0') }} as status,
    delivery as deliveries
from with_rest
