-- Table 5: social dwellings by district and their rate per 1,000, as printed. Each district's cell
-- is rounded to the nearest ten and the totals add up the rounded cells. The population is the
-- research group's estimate for mid-year of the same year, never carried forward.

with districts as (

    select
        area_code,
        area_name,
        print_order
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'

),

rounded as (

    select
        area_code,
        stock_date,
        tenure,
        -- Half up: 5 prints as 10.
        (floor(dwellings / 10 + 0.5) * 10)::bigint as dwellings,
        delivery
    from {{ ref('int_dwellings__completed') }}
    where tenure in ('local authority', 'private registered provider', 'other public sector')

),

populations as (

    select
        area_code,
        year(mid_year) as stock_year,
        population,
        estimator,
        delivery
    from {{ ref('int_populations__estimated') }}
    where estimator = 'research_group'

),

district_rows as (

    select
        year(rounded.stock_date) as stock_year,
        districts.area_code,
        sum(rounded.dwellings) filter (where rounded.tenure = 'local authority') as local_authority,
        sum(rounded.dwellings) filter (where rounded.tenure = 'private registered provider')
            as private_registered_provider,
        sum(rounded.dwellings) filter (where rounded.tenure = 'other public sector')
            as other_public_sector,
        any_value(populations.population) as population,
        any_value(populations.estimator) as population_estimator,
        any_value(rounded.delivery) as stock_delivery,
        any_value(populations.delivery) as population_delivery
    from rounded
    inner join districts on rounded.area_code = districts.area_code
    left join populations
        on
            rounded.area_code = populations.area_code
            and year(rounded.stock_date) = populations.stock_year
    group by year(rounded.stock_date), districts.area_code

),

-- The cells that a sum needs: all of them, where all districts of the force are named.
sums as (

    select
        area_code,
        district_code,
        case when is_whole then districts end as districts
    from {{ ref('int_areas__summed') }}

),

-- A sum is unknown while one of its cells is.
total_rows as (

    select
        cells.stock_year,
        sums.area_code,
        case
            when count(cells.local_authority) = sums.districts then sum(cells.local_authority)
        end as local_authority,
        case
            when count(cells.private_registered_provider) = sums.districts
                then sum(cells.private_registered_provider)
        end as private_registered_provider,
        case
            when count(cells.other_public_sector) = sums.districts
                then sum(cells.other_public_sector)
        end as other_public_sector,
        case when count(cells.population) = sums.districts then sum(cells.population) end
            as population,
        case
            when count(cells.population) = sums.districts
                then any_value(cells.population_estimator)
        end as population_estimator,
        any_value(cells.stock_delivery) as stock_delivery,
        {{ all_deliveries('cells.population_delivery') }}
            as population_delivery
    from district_rows as cells
    inner join sums on cells.area_code = sums.district_code
    group by cells.stock_year, sums.area_code, sums.districts

),

all_rows as (

    select
        stock_year,
        area_code,
        local_authority,
        private_registered_provider,
        other_public_sector,
        population,
        population_estimator,
        stock_delivery,
        population_delivery
    from district_rows
    union all
    select
        stock_year,
        area_code,
        local_authority,
        private_registered_provider,
        other_public_sector,
        population,
        population_estimator,
        stock_delivery,
        population_delivery
    from total_rows

),

with_totals as (

    select
        stock_year,
        area_code,
        local_authority,
        private_registered_provider,
        other_public_sector,
        local_authority + private_registered_provider + other_public_sector as total,
        population,
        population_estimator,
        stock_delivery,
        population_delivery
    from all_rows

)

select
    {{ period_key("'snapshot'", 'make_date(with_totals.stock_year::integer, 3, 31)') }}
        as period_key,
    with_totals.stock_year::integer as stock_year,
    row_number() over (
        partition by with_totals.stock_year
        order by areas.print_order
    )::integer as row_order,
    with_totals.area_code,
    areas.area_name,
    with_totals.local_authority::bigint as local_authority,
    with_totals.private_registered_provider::bigint as private_registered_provider,
    with_totals.other_public_sector::bigint as other_public_sector,
    with_totals.total::bigint as total,
    with_totals.population::bigint as population,
    with_totals.population_estimator,
    round({{ rate_per_1000('with_totals.total', 'with_totals.population') }}, 1) as rate_per_1000,
    {{ row_status(
        unavailable='with_totals.total is null or nullif(with_totals.population, 0) is null'
    ) }} as status,
    {{ joined_deliveries('with_totals.stock_delivery', 'with_totals.population_delivery') }}
        as deliveries
from with_totals
inner join {{ ref('int_areas__listed') }} as areas on with_totals.area_code = areas.area_code
