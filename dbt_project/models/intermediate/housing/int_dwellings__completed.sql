-- Dwellings of every district served, for every year sheet in force and every tenure, with social
-- housing added up. A cell that is missing or marked in print is null, and so is a sum over it.

with districts as (

    select
        area_code,
        last_day
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'

),

printed as (

    select
        coalesce(coded.area_code, named.area_code) as area_code,
        coalesce(coded.district_code, named.district_code) as district_code,
        coalesce(coded.is_predecessor, named.is_predecessor) as is_predecessor,
        coalesce(coded.first_districts, named.first_districts) as first_districts,
        coalesce(coded.area_first_districts, named.area_first_districts) as area_first_districts,
        stock.stock_date,
        stock.tenure,
        stock.dwellings,
        stock.marker
    from {{ ref('stg_dwelling_stock__dwellings') }} as stock
    left join {{ ref('int_district_codes__served') }} as coded
        on stock.area_code = coded.district_code
    -- The 2009 sheet has no GSS codes: its districts are known by name.
    left join {{ ref('int_district_codes__served') }} as named
        on
            stock.area_code is null
            and stock.area_name = named.district_name
    where coalesce(coded.area_code, named.area_code) is not null

),

-- What a district had before it was recoded or merged: the sum of the districts that it was made
-- of, where the sheet has all of them; unknown while one of their cells is. The cell of a district
-- that was only recoded keeps its marker; the marker of one of several is not that of their sum.
predecessors as (

    select
        area_code,
        stock_date,
        tenure,
        case when count(dwellings) = count(*) then sum(dwellings order by district_code) end
            as dwellings,
        case when count(*) = 1 then max(marker) filter (where dwellings is null) end as marker
    from printed
    where is_predecessor
    group by area_code, stock_date, tenure
    having sum(first_districts) = max(area_first_districts)

),

own as (

    select
        area_code,
        stock_date,
        tenure,
        dwellings,
        marker
    from printed
    where not is_predecessor

),

stock as (

    select
        area_code,
        stock_date,
        tenure,
        dwellings,
        marker,
        false as is_summed
    from own
    union all
    select
        predecessors.area_code,
        predecessors.stock_date,
        predecessors.tenure,
        predecessors.dwellings,
        predecessors.marker,
        true as is_summed
    from predecessors
    anti join own
        on
            predecessors.area_code = own.area_code
            and predecessors.stock_date = own.stock_date
            and predecessors.tenure = own.tenure

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
            when stock.dwellings is null and districts.last_day < stock_dates.stock_date then '[z]'
            when stock.dwellings is null then '[x]'
        end as marker,
        coalesce(stock.is_summed, false) as is_summed,
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
        bool_and(marker is not distinct from '[z]') as has_ceased,
        bool_or(is_summed) as is_summed,
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
    is_summed,
    delivery
from cells
union all
select
    area_code,
    stock_date,
    'all social' as tenure,
    dwellings,
    case when has_ceased then '[z]' when dwellings is null then '[x]' end as marker,
    is_summed,
    delivery
from social_cells
