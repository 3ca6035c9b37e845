-- Crime of an area by how deprived its small areas are: offences and residents of each tenth and
-- each fifth of the small areas of England, and whether there are more offences than residents say.

with groups as (

    select
        kinds.group_type,
        kinds.groups,
        unnest(generate_series(1, kinds.groups))::integer as deprivation_group
    from (values ('decile', 10), ('quintile', 5)) as kinds (group_type, groups)

),

-- Two codes of one small area of the index have its residents once.
places as (

    select
        area_code,
        crime_type,
        last_month,
        months_counted,
        offences,
        indexed_code,
        deprivation_year,
        deprivation_decile,
        population_mid_year,
        deliveries,
        indexed_code is not null and row_number() over (
            partition by area_code, crime_type, indexed_code
            order by small_area_code
        ) = 1 as is_counted,
        population
    from {{ ref('int_deprivation_crime__placed') }}

),

of_areas as (

    select
        area_code,
        crime_type,
        max(last_month) as last_month,
        max(months_counted) as months_counted,
        max(deprivation_year) as deprivation_year,
        max(population_mid_year) as population_mid_year,
        nullif(count_if(is_counted), 0)::integer as small_areas,
        case
            when count_if(is_counted) = count(population) filter (where is_counted)
                then (sum(population) filter (where is_counted))::bigint
        end as population,
        (sum(offences) filter (where indexed_code is not null))::bigint as offences,
        coalesce(sum(offences) filter (where indexed_code is null), 0)::bigint
            as offences_without_index,
        count_if(indexed_code is null)::integer as small_areas_without_index,
        {{ all_deliveries('deliveries') }} as deliveries
    from places
    group by area_code, crime_type

),

of_groups as (

    select
        places.area_code,
        places.crime_type,
        groups.group_type,
        groups.deprivation_group,
        count_if(places.is_counted)::integer as small_areas,
        sum(places.population) filter (where places.is_counted)::bigint as population,
        sum(places.offences)::bigint as offences
    from places
    inner join groups
        on ceil(places.deprivation_decile * groups.groups / 10.0) = groups.deprivation_group
    group by places.area_code, places.crime_type, groups.group_type, groups.deprivation_group

),

counted as (

    select
        of_areas.area_code,
        of_areas.crime_type,
        of_areas.last_month,
        of_areas.months_counted,
        groups.group_type,
        groups.groups,
        groups.deprivation_group,
        of_areas.deprivation_year,
        of_areas.population_mid_year,
        of_areas.small_areas as small_areas_of_area,
        of_areas.population as population_of_area,
        of_areas.offences as offences_of_area,
        -- Without an index nothing is known; with one, a group that no small area is of has none.
        case when of_areas.small_areas > 0 then coalesce(of_groups.small_areas, 0) end
            as small_areas,
        case when of_areas.population is not null then coalesce(of_groups.population, 0) end
            as population,
        case when of_areas.small_areas > 0 then coalesce(of_groups.offences, 0) end as offences,
        of_areas.offences_without_index,
        of_areas.small_areas_without_index,
        of_areas.deliveries
    from of_areas
    cross join groups
    left join of_groups
        on
            of_areas.area_code = of_groups.area_code
            and of_areas.crime_type = of_groups.crime_type
            and groups.group_type = of_groups.group_type
            and groups.deprivation_group = of_groups.deprivation_group

),

shares as (

    select
        counted.area_code,
        counted.crime_type,
        counted.last_month,
        counted.months_counted,
        counted.group_type,
        counted.groups,
        counted.deprivation_group,
        counted.deprivation_year,
        counted.population_mid_year,
        counted.small_areas_of_area,
        counted.population_of_area,
        counted.offences_of_area,
        counted.small_areas,
        counted.population,
        counted.offences,
        counted.offences_without_index,
        counted.small_areas_without_index,
        counted.deliveries,
        {{ proportion('counted.small_areas', 'counted.small_areas_of_area') }}
            as share_of_small_areas,
        {{ proportion('counted.population', 'counted.population_of_area') }}
            as share_of_population,
        {{ proportion('counted.offences', 'counted.offences_of_area') }} as share_of_offences,
        {{ proportion_lower('counted.offences', 'counted.offences_of_area') }}
            as share_of_offences_lower,
        {{ proportion_upper('counted.offences', 'counted.offences_of_area') }}
            as share_of_offences_upper,
        {{ rate_per_1000('counted.offences', 'counted.population') }} as rate_per_1000,
        {{ rate_lower('counted.offences', 'counted.population', 'exact') }} as rate_lower,
        {{ rate_upper('counted.offences', 'counted.population', 'exact') }} as rate_upper
    from counted
    left join {{ ref('poisson_exact_limits') }} as exact on counted.offences = exact.offences

)

select
    shares.area_code,
    areas.area_name,
    areas.area_type,
    areas.csp,
    shares.crime_type,
    {{ period_key("'twelve_months'", '(shares.last_month - interval 11 month)') }} as period_key,
    last_day(shares.last_month) as period_end,
    {{ period_of_months('shares.months_counted', 'shares.last_month') }} as period_label,
    shares.months_counted,
    shares.group_type,
    shares.deprivation_group,
    shares.deprivation_group || case shares.deprivation_group
        when 1 then ' (most deprived)'
        when shares.groups then ' (least deprived)'
        else ''
    end as deprivation_label,
    shares.deprivation_year,
    shares.small_areas,
    shares.small_areas_of_area,
    shares.share_of_small_areas,
    shares.population,
    shares.population_of_area,
    shares.population_mid_year,
    shares.share_of_population,
    shares.offences,
    shares.offences_of_area,
    shares.share_of_offences,
    shares.share_of_offences_lower,
    shares.share_of_offences_upper,
    shares.rate_per_1000,
    shares.rate_lower,
    shares.rate_upper,
    shares.share_of_offences / nullif(shares.share_of_population, 0) as offence_ratio,
    shares.share_of_offences_lower / nullif(shares.share_of_population, 0) as offence_ratio_lower,
    shares.share_of_offences_upper / nullif(shares.share_of_population, 0) as offence_ratio_upper,
    shares.small_areas_without_index,
    shares.offences_without_index,
    {{ row_status(
        not_applicable=(
            'shares.small_areas = 0 or shares.population = 0 or shares.offences_of_area = 0'
        ),
        unavailable='shares.small_areas is null or shares.population is null'
    ) }} as status,
    shares.deliveries
from shares
inner join {{ ref('int_areas__listed') }} as areas on shares.area_code = areas.area_code
