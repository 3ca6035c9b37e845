-- How many needs offenders have, by cohort and area. Who was not assessed is a row of its own:
-- their needs are not known, and they are not among those with none.

with counted as (

    select
        cohort,
        snapshot_date,
        area_code,
        force_code,
        needs,
        delivery,
        offenders,
        offenders_with_unanswered
    from {{ ref('int_need_complexity__counted') }}

),

in_areas as (

    select
        counted.cohort,
        counted.snapshot_date,
        {{ areas_counted_in('counted.area_code', 'areas.partnership_code', 'counted.force_code') }}
            as area_code,
        counted.needs,
        counted.offenders,
        counted.offenders_with_unanswered
    from counted
    left join {{ ref('int_areas__listed') }} as areas on counted.area_code = areas.area_code

),

summed as (

    select
        cohort,
        snapshot_date,
        area_code,
        needs,
        sum(offenders) as offenders,
        sum(offenders_with_unanswered) as offenders_with_unanswered
    from in_areas
    group by cohort, snapshot_date, area_code, needs

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

-- From zero to as many needs as there are pathways, and not assessed.
complexities as (

    select unnest(range(0, (select count(*) from {{ ref('oasys_pathways') }}) + 1)) as needs
    union all
    select null as needs

),

completed as (

    select
        snapshots.cohort,
        snapshots.snapshot_date,
        areas.area_code,
        areas.area_name,
        areas.area_type,
        areas.csp,
        complexities.needs,
        coalesce(summed.offenders, 0) as offenders,
        coalesce(summed.offenders_with_unanswered, 0) as offenders_with_unanswered,
        snapshots.delivery
    from snapshots
    inner join {{ ref('int_probation_areas__listed') }} as areas
        on snapshots.force_code = areas.force_code
    cross join complexities
    left join summed
        on
            snapshots.cohort = summed.cohort
            and snapshots.snapshot_date = summed.snapshot_date
            and areas.area_code = summed.area_code
            and complexities.needs is not distinct from summed.needs

),

-- Of those assessed, except for the row of who was not.
with_bases as (

    select
        cohort,
        snapshot_date,
        area_code,
        area_name,
        area_type,
        csp,
        needs,
        offenders,
        offenders_with_unanswered,
        delivery,
        case
            when needs is null then sum(offenders) over cohort_of_area
            else sum(offenders) filter (where needs is not null) over cohort_of_area
        end as base
    from completed
    window cohort_of_area as (partition by cohort, snapshot_date, area_code)

)

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
    coalesce(needs::varchar, 'Not assessed') as complexity,
    needs::integer as needs,
    offenders::bigint as offenders,
    offenders_with_unanswered::bigint as offenders_with_unanswered,
    base::bigint as base,
    {{ proportion('offenders', 'base') }} as proportion,
    {{ proportion_lower('offenders', 'base') }} as proportion_lower,
    {{ proportion_upper('offenders', 'base') }} as proportion_upper,
    case
        when needs is null then 'proportion of the caseload'
        else 'proportion of assessed offenders'
    end as unit,
    {{ row_status(unavailable='false', not_applicable='base = 0') }} as status,
    delivery as deliveries
from with_bases
