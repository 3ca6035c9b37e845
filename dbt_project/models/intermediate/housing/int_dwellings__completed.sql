-- Dwellings of every district served, for every year sheet in force and every tenure, with social
-- housing added up. A cell that is missing or marked in print is null, and so is a sum over it.

with districts as (

    select
        area_code,
        area_name
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'

),

stock as (

    select
        -- The 2009 sheet has no GSS codes: its districts are known by name.
        coalesce(printed.area_code, named.area_code) as area_code,
        printed.stock_date,
        printed.tenure,
        printed.dwellings,
        printed.marker
    from {{ ref('stg_dwelling_stock__dwellings') }} as printed
    left join districts as named
        on
            printed.area_code is null
            and printed.area_name = named.area_name

),

stock_dates as (

    select
        in_force.period as stock_date,
        in_force.delivery
    from {{ source('control', 'in_force') }} as in_force
    cross join {{ source('control', 'refresh') }} as refresh
    where
        in_force.source = 'dwelling_stock'
        and in_force.period <= refresh.quarter_end

),

tenures as (

    select
        printed_tenures.tenure,
        printed_tenures.is_social
    from (
        values
        ('local authority', true),
        ('private registered provider', true),
        ('other public sector', true),
        ('private sector', false),
        ('all dwellings', false)
    ) as printed_tenures (tenure, is_social)

),

cells as (

    select
        districts.area_code,
        stock_dates.stock_date,
        tenures.tenure,
        tenures.is_social,
        stock.dwellings,
        -- Without a value a cell is confidential, not applicable or simply not available.
        case
            when stock.dwellings is null and stock.marker in ('[c]', '[z]') then stock.marker
            when stock.dwellings is null then '[x]'
        end as marker,
        stock_dates.delivery
    from districts
    cross join stock_dates
    cross join tenures
    left join stock
        on
            districts.area_code = stock.area_code
            and stock_dates.stock_date = stock.stock_date
            and tenures.tenure = stock.tenure

),

social_cells as (

    select
        area_code,
        stock_date,
        case when count(dwellings) = 3 then sum(dwellings order by tenure) end as dwellings,
        any_value(delivery) as delivery
    from cells
    where is_social
    group by area_code, stock_date

)

select
    area_code,
    stock_date,
    tenure,
    dwellings,
    marker,
    delivery
from cells
union all
select
    area_code,
    stock_date,
    'all social' as tenure,
    dwellings,
    case when dwellings is null then '[x]' end as marker,
    delivery
from social_cells
