-- Mid-year population estimates of the deliveries in force.

with estimates as (

    select *
    from {{ source('raw', 'population_estimates') }}

),

estimates_in_force as (

    select
        delivered_series,
        period,
        delivery_id,
        delivery
    from {{ source('control', 'in_force') }}
    where source = 'population_estimates'

)

select
    estimates.estimator,
    estimates.mid_year,
    estimates.area_code,
    estimates.area_name,
    estimates.population,
    estimates_in_force.delivery
from estimates
inner join estimates_in_force
    on
        estimates.estimator = estimates_in_force.delivered_series
        and estimates.mid_year = estimates_in_force.period
        and estimates._delivery_id = estimates_in_force.delivery_id
