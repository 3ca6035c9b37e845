-- Figures of prisons on accommodation, of the returns in force.

with figures as (

    select *
    from {{ source('raw', 'prison_releases') }}

),

deliveries_in_force as (

    select
        delivered_series,
        served_name,
        period,
        delivery_id,
        delivery
    from {{ source('control', 'in_force') }}
    where source = 'prison_releases'

)

select
    figures.statement,
    deliveries_in_force.served_name as prison,
    figures.period_start,
    figures.period_end,
    figures.sex,
    figures.area_code,
    figures.area_name,
    figures.measure,
    figures.people,
    deliveries_in_force.delivery
from figures
inner join deliveries_in_force
    on
        figures.statement || ', ' || figures.prison = deliveries_in_force.delivered_series
        and figures.period_start = deliveries_in_force.period
        and figures._delivery_id = deliveries_in_force.delivery_id
