-- Population, extent and dwellings of every district of England and Wales that has an estimate of
-- the latest mid-year. Dwellings are those of the latest year sheet up to that day.

with estimates as (

    select
        populations.area_code,
        populations.area_name,
        populations.mid_year,
        populations.population,
        populations.area_sq_km,
        populations.delivery
    from {{ ref('stg_population_estimates__populations') }} as populations
    cross join {{ source('control', 'refresh') }} as refresh
    where
        populations.estimator = '{{ var("population_estimator") }}'
        and {{ gss_area_type('populations.area_code') }} = 'district'
        and populations.mid_year <= refresh.quarter_end

),

latest_estimates as (

    select
        area_code,
        area_name,
        mid_year,
        population,
        area_sq_km,
        delivery
    from estimates
    qualify mid_year = max(mid_year) over ()

),

dwellings as (

    select
        stock.area_code,
        stock.stock_date,
        case when count(stock.dwellings) = count(*) then max(stock.dwellings) end
            as all_dwellings,
        any_value(stock.delivery) as delivery
    from {{ ref('stg_dwelling_stock__dwellings') }} as stock
    where stock.tenure = 'all dwellings'
    group by stock.area_code, stock.stock_date

),

social_dwellings as (

    select
        area_code,
        stock_date,
        case when count(dwellings) = count(*) then sum(dwellings order by tenure) end
            as social_dwellings
    from {{ ref('stg_dwelling_stock__dwellings') }}
    where tenure not in ('all dwellings', 'private sector')
    group by area_code, stock_date

),

latest_dwellings as (

    select
        dwellings.area_code,
        dwellings.stock_date,
        dwellings.all_dwellings,
        social.social_dwellings,
        dwellings.delivery
    from dwellings
    left join social_dwellings as social
        on
            dwellings.area_code = social.area_code
            and dwellings.stock_date = social.stock_date
    where dwellings.stock_date <= (select max(latest_estimates.mid_year) from latest_estimates)
    qualify dwellings.stock_date = max(dwellings.stock_date) over ()

)

select
    latest.area_code as district_code,
    latest.area_name as district_name,
    latest.mid_year,
    latest.population,
    before.population as population_before,
    latest.area_sq_km,
    stock.stock_date,
    stock.all_dwellings,
    stock.social_dwellings,
    {{ joined_deliveries('latest.delivery', 'stock.delivery') }} as deliveries
from latest_estimates as latest
left join estimates as before
    on
        latest.area_code = before.area_code
        and before.mid_year = (latest.mid_year - interval 10 year)::date
left join latest_dwellings as stock on latest.area_code = stock.area_code
