-- Dwellings by tenure at 31 March, for districts and force areas, with the rate per 1,000.

with district_stock as (

    select
        dwellings.area_code,
        areas.force_code,
        dwellings.stock_date,
        dwellings.tenure,
        dwellings.dwellings,
        dwellings.marker,
        dwellings.delivery
    from {{ ref('int_dwellings__completed') }} as dwellings
    inner join {{ ref('int_areas__listed') }} as areas on dwellings.area_code = areas.area_code

),

-- A force area is the sum of its districts, unknown while one of them is or is not named.
force_stock as (

    select
        stock.force_code as area_code,
        stock.stock_date,
        stock.tenure,
        -- Added in a fixed order, so that fractions give the same last digit every time.
        case
            when named.is_whole and count(stock.dwellings) = count(*)
                then sum(stock.dwellings order by stock.area_code)
        end as dwellings,
        case when not named.is_whole or count(stock.dwellings) < count(*) then '[x]' end
            as marker,
        any_value(stock.delivery) as delivery
    from district_stock as stock
    inner join {{ ref('int_force_districts__named') }} as named
        on stock.force_code = named.force_code
    group by stock.force_code, named.is_whole, stock.stock_date, stock.tenure

),

stock as (

    select
        area_code,
        stock_date,
        tenure,
        dwellings,
        marker,
        delivery
    from district_stock
    union all
    select
        area_code,
        stock_date,
        tenure,
        dwellings,
        marker,
        delivery
    from force_stock

)

select
    stock.area_code,
    areas.area_name,
    areas.area_type,
    areas.csp,
    stock.stock_date,
    year(stock.stock_date)::integer as stock_year,
    stock.tenure,
    stock.dwellings,
    populations.population,
    populations.mid_year as population_mid_year,
    populations.estimator as population_estimator,
    {{ rate_per_1000('stock.dwellings', 'populations.population') }} as rate_per_1000,
    {{ rate_lower('stock.dwellings', 'populations.population', 'exact') }} as rate_lower,
    {{ rate_upper('stock.dwellings', 'populations.population', 'exact') }} as rate_upper,
    'dwellings per 1,000 population' as unit,
    coalesce(
        stock.marker,
        {{ row_status(
            unavailable='nullif(populations.population, 0) is null',
            carried='populations.is_carried_forward'
        ) }}
    ) as status,
    {{ joined_deliveries('stock.delivery', 'populations.delivery') }} as deliveries
from stock
inner join {{ ref('int_areas__listed') }} as areas on stock.area_code = areas.area_code
left join {{ ref('int_populations__carried') }} as populations
    on
        stock.area_code = populations.area_code
        and year(stock.stock_date) = populations.calendar_year
left join {{ ref('poisson_exact_limits') }} as exact on stock.dwellings = exact.offences
