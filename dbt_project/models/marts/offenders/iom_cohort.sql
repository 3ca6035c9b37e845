-- People managed by Integrated Offender Management on the day of each snapshot, by area and by what
-- they are. Where a force has sent the snapshot, an area or category without anybody is 0.

with people as (

    select
        placed.snapshot_date,
        placed.force_code,
        {{ areas_counted_in('placed.area_code', 'areas.partnership_code', 'placed.force_code') }}
            as area_code,
        placed.sex,
        placed.age_group,
        placed.lead_agency,
        placed.location,
        placed.accommodation,
        placed.offence_group,
        placed.acquisitive_group,
        placed.delivery
    from {{ ref('int_iom_cohort__placed') }} as placed
    left join {{ ref('int_areas__listed') }} as areas on placed.area_code = areas.area_code

),

described as (

    select
        snapshot_date,
        force_code,
        area_code,
        delivery,
        -- Gives the columns dimension and category.
        unnest([  -- noqa: AL03
            struct_pack(dimension := 'all', category := 'All'),
            struct_pack(dimension := 'sex', category := sex),
            struct_pack(dimension := 'age group', category := age_group),
            struct_pack(dimension := 'lead agency', category := lead_agency),
            struct_pack(dimension := 'location', category := location),
            struct_pack(dimension := 'accommodation', category := accommodation),
            struct_pack(dimension := 'index offence group', category := offence_group),
            struct_pack(dimension := 'index offence', category := acquisitive_group)
        ], recursive := true)
    from people

),

snapshots as (

    select
        snapshot_date,
        force_code,
        any_value(delivery) as delivery
    from described
    group by snapshot_date, force_code

),

categories as (

    select distinct
        dimension,
        category
    from described

),

counted as (

    select
        snapshot_date,
        area_code,
        dimension,
        category,
        count(*) as people
    from described
    group by snapshot_date, area_code, dimension, category

),

completed as (

    select
        snapshots.snapshot_date,
        snapshots.delivery,
        areas.area_code,
        areas.area_name,
        areas.area_type,
        areas.csp,
        categories.dimension,
        categories.category,
        coalesce(counted.people, 0) as people
    from snapshots
    inner join {{ ref('int_areas__listed') }} as areas on snapshots.force_code = areas.force_code
    cross join categories
    left join counted
        on
            snapshots.snapshot_date = counted.snapshot_date
            and areas.area_code = counted.area_code
            and categories.dimension = counted.dimension
            and categories.category = counted.category

),

with_whole as (

    select
        snapshot_date,
        delivery,
        area_code,
        area_name,
        area_type,
        csp,
        dimension,
        category,
        people,
        max(people) filter (where dimension = 'all') over (
            partition by area_code, snapshot_date
        ) as people_all
    from completed

)

select
    area_code,
    area_name,
    area_type,
    csp,
    {{ period_key("'snapshot'", 'snapshot_date') }} as period_key,
    'snapshot' as period_type,
    snapshot_date as period_start,
    snapshot_date as period_end,
    {{ period_label_of('snapshot_date', 'snapshot_date') }} as period_label,
    dimension,
    category,
    people::bigint as people,
    people_all::bigint as people_all,
    {{ proportion('people', 'people_all') }} as proportion,
    {{ proportion_lower('people', 'people_all') }} as proportion_lower,
    {{ proportion_upper('people', 'people_all') }} as proportion_upper,
    'proportion of people managed' as unit,
    {{ row_status(unavailable='false', not_applicable='people_all = 0') }} as status,
    delivery as deliveries
from with_whole
