-- Young people registered with youth offending services, and first-time entrants among them, by
-- year and by what they are. A year is shown for an area once every service of it has returned all
-- four quarters; before that it is not available, and after that a category without anybody is 0.
-- Rates are per 1,000 people aged 10 to 17, of all and of each sex.

with areas as (

    select
        area_code,
        area_name,
        area_type,
        force_code,
        csp,
        partnership_code,
        print_order
    from {{ ref('int_areas__listed') }}

),

area_services as (

    select
        areas.area_code,
        services.youth_offending_service
    from areas
    left join {{ ref('int_youth_services__listed') }} as services
        on areas.area_code = services.district_code
    where areas.area_type = 'district'
    union
    -- A partnership is known when every service of its districts is.
    select
        areas.partnership_code as area_code,
        services.youth_offending_service
    from areas
    left join {{ ref('int_youth_services__listed') }} as services
        on areas.area_code = services.district_code
    where
        areas.area_type = 'district'
        and areas.partnership_code <> areas.area_code
    union
    -- The force area and its remainders are known when every service of the force is.
    select
        areas.area_code,
        services.youth_offending_service
    from areas
    inner join areas as districts
        on
            areas.force_code = districts.force_code
            and districts.area_type = 'district'
    left join {{ ref('int_youth_services__listed') }} as services
        on districts.area_code = services.district_code
    where areas.area_type not in ('district', 'partnership')

),

periods as (

    select distinct
        period_type,
        period_start,
        period_end,
        period_label
    from {{ ref('int_youth_periods__covered') }}

),

area_periods as (

    select
        area_services.area_code,
        periods.period_type,
        periods.period_start,
        periods.period_end,
        periods.period_label,
        count(covered.youth_offending_service) = count(*) as is_covered,
        {{ all_deliveries('covered.delivery') }} as deliveries
    from area_services
    cross join periods
    left join {{ ref('int_youth_periods__covered') }} as covered
        on
            area_services.youth_offending_service = covered.youth_offending_service
            and periods.period_type = covered.period_type
            and periods.period_start = covered.period_start
    group by
        area_services.area_code,
        periods.period_type,
        periods.period_start,
        periods.period_end,
        periods.period_label

),

cohorts as (

    select
        period_type,
        period_start,
        force_code,
        area_code,
        sex,
        age_group,
        first_offence,
        accommodation_need,
        unnest(
            case
                when is_first_time_entrant then ['registered', 'first-time entrants']
                else ['registered']
            end
        ) as cohort
    from {{ ref('int_youth_offenders__yearly') }}

),

described as (

    select
        period_type,
        period_start,
        force_code,
        area_code,
        cohort,
        -- Gives the columns dimension and category.
        unnest([  -- noqa: AL03
            struct_pack(dimension := 'all', category := 'All'),
            struct_pack(dimension := 'sex', category := sex),
            struct_pack(dimension := 'age group', category := age_group),
            struct_pack(dimension := 'first offence', category := first_offence),
            struct_pack(dimension := 'accommodation need', category := accommodation_need)
        ], recursive := true)
    from cohorts

),

in_areas as (

    select
        described.period_type,
        described.period_start,
        {{ areas_counted_in(
            'described.area_code', 'areas.partnership_code', 'described.force_code'
        ) }} as area_code,
        described.cohort,
        described.dimension,
        described.category
    from described
    left join areas on described.area_code = areas.area_code

),

categories as (

    select distinct
        cohort,
        dimension,
        category
    from (
        select
            unnest(['registered', 'first-time entrants']) as cohort,
            dimension,
            category
        from described
    ) as pairs

),

counted as (

    select
        period_type,
        period_start,
        area_code,
        cohort,
        dimension,
        category,
        count(*) as young_people
    from in_areas
    group by all

),

completed as (

    select
        area_periods.area_code,
        area_periods.period_type,
        area_periods.period_start,
        area_periods.period_end,
        area_periods.period_label,
        area_periods.is_covered,
        area_periods.deliveries,
        categories.cohort,
        categories.dimension,
        categories.category,
        case when area_periods.is_covered then coalesce(counted.young_people, 0) end
            as young_people
    from area_periods
    cross join categories
    left join counted
        on
            area_periods.area_code = counted.area_code
            and area_periods.period_type = counted.period_type
            and area_periods.period_start = counted.period_start
            and categories.cohort = counted.cohort
            and categories.dimension = counted.dimension
            and categories.category = counted.category

),

with_whole as (

    select
        area_code,
        period_type,
        period_start,
        period_end,
        period_label,
        is_covered,
        deliveries,
        cohort,
        dimension,
        category,
        young_people,
        max(young_people) filter (where dimension = 'all') over (
            partition by area_code, period_type, period_start, cohort
        ) as young_people_all
    from completed

)

select
    with_whole.area_code,
    areas.area_name,
    areas.area_type,
    areas.csp,
    {{ period_key('with_whole.period_type', 'with_whole.period_start') }} as period_key,
    with_whole.period_type,
    with_whole.period_start,
    with_whole.period_end,
    with_whole.period_label,
    with_whole.cohort,
    with_whole.dimension,
    with_whole.category,
    with_whole.young_people::bigint as young_people,
    with_whole.young_people_all::bigint as young_people_all,
    {{ proportion('with_whole.young_people', 'with_whole.young_people_all') }} as proportion,
    {{ proportion_lower('with_whole.young_people', 'with_whole.young_people_all') }}
        as proportion_lower,
    {{ proportion_upper('with_whole.young_people', 'with_whole.young_people_all') }}
        as proportion_upper,
    'proportion of young people' as unit,
    populations.population as population_aged_10_to_17,
    populations.mid_year as population_mid_year,
    {{ rate_per_1000('with_whole.young_people', 'populations.population') }} as rate_per_1000,
    {{ rate_lower('with_whole.young_people', 'populations.population', 'exact') }} as rate_lower,
    {{ rate_upper('with_whole.young_people', 'populations.population', 'exact') }} as rate_upper,
    {{ row_status(
        not_applicable="areas.area_type not in ('district', 'partnership', 'force') or "
        ~ "with_whole.dimension not in ('all', 'sex') "
        ~ "or with_whole.category not in ('All', 'Female', 'Male')",
        unavailable='with_whole.young_people is null or nullif(populations.population, 0) is null',
        carried='populations.is_carried_forward'
    ) }} as rate_per_1000_status,
    {{ row_status(
        unavailable='not with_whole.is_covered',
        not_applicable='with_whole.young_people_all = 0'
    ) }} as status,
    {{ joined_deliveries('with_whole.deliveries', 'populations.delivery') }} as deliveries
from with_whole
inner join areas on with_whole.area_code = areas.area_code
left join {{ ref('int_populations_by_age__grouped') }} as populations
    on
        with_whole.area_code = populations.area_code
        and year(with_whole.period_start) = populations.calendar_year
        and populations.age_group = 'Aged 10 to 17'
        and with_whole.dimension in ('all', 'sex')
        and with_whole.category = populations.sex
left join {{ ref('poisson_exact_limits') }} as exact on with_whole.young_people = exact.offences
