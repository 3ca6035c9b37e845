-- Mid-year population estimates by sex and year of age, of the deliveries in force.

select
    mid_year,
    area_code,
    sex,
    age,
    population,
    delivery
from {{ source('in_force', 'population_by_age') }}
