-- Recorded crime by small area, month and type, of the latest months. Only what was recorded has a
-- row: a small area without one had none in a month that its force has a file for.

with breaks as (

    select distinct
        force_code,
        crime_type,
        month
    from {{ ref('int_crime__completed') }}
    where is_after_break

)

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
    {{ row_status(unavailable='false', after_break='breaks.month is not null') }} as status,
    counted.delivery as deliveries
from {{ ref('int_small_area_crime__counted') }} as counted
inner join {{ ref('int_small_areas__described') }} as small_areas
    on counted.small_area_code = small_areas.small_area_code
inner join {{ ref('int_areas__listed') }} as areas on small_areas.area_code = areas.area_code
left join breaks
    on
        counted.force_code = breaks.force_code
        and counted.crime_type = breaks.crime_type
        and counted.month = breaks.month
