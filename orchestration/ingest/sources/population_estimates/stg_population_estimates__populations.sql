-- Mid-year population estimates of the deliveries in force.

select
    estimator,
    mid_year,
    area_code,
    area_name,
    population,
    area_sq_km,
    delivery
from {{ source('in_force', 'population_estimates') }}
