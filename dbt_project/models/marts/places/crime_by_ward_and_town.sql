-- Recorded crime by ward and by town, month and type, of the latest months: sums of the small areas
-- that lie in each. Only what was recorded has a row.

with places as (

    select
        small_area_code,
        area_code,
        'ward' as place_type,
        ward_code as place_code,
        ward_name as place_name
    from {{ ref('int_small_areas__described') }}
    where ward_code is not null
    union all
    select
        small_areas.small_area_code,
        towns.district_code as area_code,
        'town' as place_type,
        towns.area_code as place_code,
        towns.town as place_name
    from {{ source('control', 'partnership_small_areas') }} as small_areas
    inner join {{ source('control', 'partnership_towns') }} as towns
        on small_areas.town_area_code = towns.area_code

),

breaks as (

    select distinct
        force_code,
        crime_type,
        month
    from {{ ref('int_crime__completed') }}
    where is_after_break

)

select
    places.place_type,
    places.place_code,
    max(places.place_name) as place_name,
    places.area_code,
    areas.area_name,
    areas.area_type,
    areas.csp,
    counted.month,
    counted.crime_type,
    sum(counted.offences)::bigint as offences,
    {{ row_status(
        unavailable='false', after_break='bool_or(breaks.month is not null)'
    ) }} as status,
    {{ all_deliveries('counted.delivery') }} as deliveries
from {{ ref('int_small_area_crime__counted') }} as counted
inner join places on counted.small_area_code = places.small_area_code
inner join {{ ref('int_areas__listed') }} as areas on places.area_code = areas.area_code
left join breaks
    on
        counted.force_code = breaks.force_code
        and counted.crime_type = breaks.crime_type
        and counted.month = breaks.month
group by
    places.place_type,
    places.place_code,
    places.area_code,
    areas.area_name,
    areas.area_type,
    areas.csp,
    counted.month,
    counted.crime_type
