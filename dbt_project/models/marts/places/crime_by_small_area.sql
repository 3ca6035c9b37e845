-- Recorded crime by small area, month and type, of the latest months. Only what was recorded has a
-- row: a small area without one had none in a month that its force has a file for.

select
    counted.small_area_code,
    small_areas.small_area_name,
    small_areas.area_code,
    areas.area_name,
    areas.area_type,
    areas.csp,
    counted.month,
    counted.crime_type,
    counted.offences,
    counted.delivery as deliveries
from {{ ref('int_small_area_crime__counted') }} as counted
inner join {{ ref('int_small_areas__described') }} as small_areas
    on counted.small_area_code = small_areas.small_area_code
inner join {{ ref('int_areas__listed') }} as areas on small_areas.area_code = areas.area_code
