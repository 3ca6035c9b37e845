-- Dwellings by tenure at 31 March, for districts, partnerships of several districts and force
-- areas, with the rate per 1,000.

with district_stock as (

    select
        area_code,
        stock_date,
        tenure,
        dwellings,
        marker,
        is_summed,
        delivery
    from {{ ref('int_dwellings__completed') }}

),

-- Partnerships and force areas are the sum of their districts, unknown while one of them is or is
-- not named.
summed_stock as (

    select
        summed.area_code,
        stock.stock_date,
        stock.tenure,
        -- Added in a fixed order, so that fractions give the same last digit every time.
        case
            when summed.is_whole and count(stock.dwellings) = count(*)
                then sum(stock.dwellings order by stock.area_code)
        end as dwellings,
        case when not summed.is_whole or count(stock.dwellings) < count(*) then '[x]' end
            as marker,
        bool_or(stock.is_summed) as is_summed,
        any_value(stock.delivery) as delivery
    from district_stock as stock
    inner join {{ ref('int_areas__summed') }} as summed on stock.area_code = summed.district_code
    group by summed.area_code, summed.is_whole, stock.stock_date, stock.tenure

),

stock as (

    select
        area_code,
        stock_date,
        tenure,
        dwellings,
        marker,
        is_summed,
        delivery
    from district_stock
    union all
    select
        area_code,
        stock_date,
        tenure,
        dwellings,
        marker,
        is_summed,
        delivery
    from summed_stock

),

-- The series breaks where a district's own figure follows that of the districts that it was made of
-- and another delivery has it.
with_breaks as (

    select
        area_code,
        stock_date,
        tenure,
        dwellings,
        marker,
        delivery,
        coalesce(
            not is_summed
            and lag(is_summed) over series
            and delivery <> lag(delivery) over series,
            false
        ) as is_after_break
    from stock
    window series as (partition by area_code, tenure order by stock_date)

)

select
    stock.area_code,
    areas.area_name,
    areas.area_type,
    areas.csp,
    {{ period_key("'snapshot'", 'stock.stock_date') }} as period_key,
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
            after_break='stock.is_after_break',
            carried='populations.is_carried_forward'
        ) }}
    ) as status,
    {{ joined_deliveries('stock.delivery', 'populations.delivery') }} as deliveries
from with_breaks as stock
inner join {{ ref('int_areas__listed') }} as areas on stock.area_code = areas.area_code
left join {{ ref('int_populations__carried') }} as populations
    on
        stock.area_code = populations.area_code
        and year(stock.stock_date) = populations.calendar_year
left join {{ ref('poisson_exact_limits') }} as exact on stock.dwellings = exact.offences
