-- Deprivation of small areas of England, of every edition in force.

select
    edition,
    year(edition)::integer as deprivation_year,
    small_area_code as lsoa_code,
    deprivation_score,
    deprivation_rank,
    deprivation_decile,
    population,
    population_date as population_mid_year,
    delivery
from {{ source('in_force', 'deprivation_indices') }}
