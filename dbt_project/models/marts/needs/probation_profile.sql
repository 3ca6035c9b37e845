-- People under probation supervision by cohort, area and category of each dimension. What was not
-- recorded is a category of its own; the share of those with something recorded is given
-- beside the share of everyone.

with counted as (

    select
        cohort,
        snapshot_date,
        area_code,
        force_code,
        dimension,
        category,
        delivery,
        people
    from {{ ref('int_probation__counted') }}

),

in_areas as (

    select
        counted.cohort,
        counted.snapshot_date,
        {{ areas_counted_in('counted.area_code', 'areas.partnership_code', 'counted.force_code') }}
            as area_code,
        counted.dimension,
        counted.category,
        counted.people
    from counted
    left join {{ ref('int_areas__listed') }} as areas on counted.area_code = areas.area_code

),

summed as (

    select
        cohort,
        snapshot_date,
        area_code,
        dimension,
        category,
        sum(people) as people
    from in_areas
    group by cohort, snapshot_date, area_code, dimension, category

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

-- Where an extract is in force, a category without people is zero and not missing.
completed as (

    select
        snapshots.cohort,
        snapshots.snapshot_date,
        areas.area_code,
        areas.area_name,
        areas.area_type,
        areas.csp,
        categories.dimension,
        categories.category,
        categories.is_known,
        coalesce(summed.people, 0) as people,
        snapshots.delivery
    from snapshots
    inner join {{ ref('int_probation_areas__listed') }} as areas
        on snapshots.force_code = areas.force_code
    cross join {{ ref('probation_categories') }} as categories
    left join summed
        on
            snapshots.cohort = summed.cohort
            and snapshots.snapshot_date = summed.snapshot_date
            and areas.area_code = summed.area_code
            and categories.dimension = summed.dimension
            and categories.category = summed.category

),

with_bases as (

    select
        cohort,
        snapshot_date,
        area_code,
        area_name,
        area_type,
        csp,
        dimension,
        category,
        people,
        delivery,
        sum(people) over dimension_of_area as caseload,
        case
            when is_known
                then coalesce(sum(people) filter (where is_known) over dimension_of_area, 0)
        end as known
    from completed
    window dimension_of_area as (partition by cohort, snapshot_date, area_code, dimension)

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
    dimension,
    category,
    people::bigint as people,
    caseload::bigint as caseload,
    {{ proportion('people', 'caseload') }} as proportion,
    {{ proportion_lower('people', 'caseload') }} as proportion_lower,
    {{ proportion_upper('people', 'caseload') }} as proportion_upper,
    'proportion of the caseload' as unit,
    known::bigint as known,
    {{ proportion('people', 'known') }} as proportion_of_known,
    {{ row_status(unavailable='false', not_applicable='caseload = 0') }} as status,
    delivery as deliveries
from with_bases
