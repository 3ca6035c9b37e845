-- Dwellings by area and tenure of the year sheets in force, under the present names of tenures.

with stock as (

    select *
    from {{ source('raw', 'dwelling_stock') }}

),

sheets_in_force as (

    select
        period,
        delivery_id,
        delivery
    from {{ source('control', 'in_force') }}
    where source = 'dwelling_stock'

)

select
    stock.stock_date,
    nullif(trim(stock.area_code), '') as area_code,
    trim(stock.area_name) as area_name,
    -- "Housing association" became "Private registered provider" in 2012.
    case stock.tenure
        when 'housing association' then 'private registered provider'
        when 'total' then 'all dwellings'
        else stock.tenure
    end as tenure,
    stock.dwellings,
    stock.marker,
    sheets_in_force.delivery
from stock
inner join sheets_in_force
    on
        stock.stock_date = sheets_in_force.period
        and stock._delivery_id = sheets_in_force.delivery_id
