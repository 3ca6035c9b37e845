-- Small areas (LSOA) of the forces served: where each lies, how deprived it is, and its boundary.

select
    small_areas.small_area_code,
    small_areas.small_area_name,
    small_areas.area_code,
    areas.area_name,
    areas.area_type,
    areas.csp,
    small_areas.force_code,
    small_areas.ward_code,
    small_areas.ward_name,
    small_areas.town_codes,
    small_areas.town_names,
    deprivation.deprivation_year,
    deprivation.deprivation_rank,
    deprivation.deprivation_decile,
    deprivation.population,
    deprivation.population_mid_year,
    small_areas.boundary
from {{ ref('int_small_areas__described') }} as small_areas
inner join {{ ref('int_areas__listed') }} as areas on small_areas.area_code = areas.area_code
left join {{ ref('int_deprivation__followed') }} as deprivation
    on small_areas.small_area_code = deprivation.small_area_code
