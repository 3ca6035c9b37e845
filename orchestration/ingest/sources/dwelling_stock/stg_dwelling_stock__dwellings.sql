-- Dwellings by area and tenure of the year sheets in force, under the present names of tenures.

select
    stock_date,
    nullif(trim(area_code), '') as area_code,
    trim(area_name) as area_name,
    -- "Housing association" became "Private registered provider" in 2012.
    case tenure
        when 'housing association' then 'private registered provider'
        when 'total' then 'all dwellings'
        else tenure
    end as tenure,
    dwellings,
    marker,
    delivery
from {{ source('in_force', 'dwelling_stock') }}
