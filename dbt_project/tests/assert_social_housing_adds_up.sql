-- A force's stock is the sum of its districts and all social the sum of its three tenures; both
-- unknown while a part is, the force's also while a district of it is not named. Returns the cells
-- that are not.
{{ config(meta={'dagster': {'ref': {'name': 'social_housing_stock'}}}) }}

with stock as (

    select
        stock.area_code,
        stock.area_type,
        areas.force_code,
        named.is_whole,
        stock.stock_date,
        stock.tenure,
        stock.dwellings
    from {{ ref('social_housing_stock') }} as stock
    inner join {{ ref('dim_area') }} as areas on stock.area_code = areas.area_code
    inner join {{ ref('int_force_districts__named') }} as named
        on areas.force_code = named.force_code

),

district_sums as (

    select
        force_code as area_code,
        stock_date,
        tenure,
        case
            when bool_and(is_whole and dwellings is not null) then sum(dwellings)
        end as dwellings
    from stock
    where area_type = 'district'
    group by force_code, stock_date, tenure

),

tenure_sums as (

    select
        area_code,
        stock_date,
        'all social' as tenure,
        case when bool_and(dwellings is not null) then sum(dwellings) end as dwellings
    from stock
    where tenure in ('local authority', 'private registered provider', 'other public sector')
    group by area_code, stock_date

),

expected as (

    select
        area_code,
        stock_date,
        tenure,
        dwellings
    from district_sums
    union all
    select
        area_code,
        stock_date,
        tenure,
        dwellings
    from tenure_sums

)

select
    expected.area_code,
    expected.stock_date,
    expected.tenure,
    expected.dwellings as expected_dwellings,
    stock.dwellings
from expected
left join stock
    on
        expected.area_code = stock.area_code
        and expected.stock_date = stock.stock_date
        and expected.tenure = stock.tenure
where
    (expected.dwellings is null) <> (stock.dwellings is null)
    -- Private-sector figures are fractional, and sums of them differ in their last digits.
    or abs(expected.dwellings - stock.dwellings) > 1e-6
