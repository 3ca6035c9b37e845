-- The neighbours of each small area within its force: those whose boundaries share a point, and the
-- small area itself.

with points as (

    select distinct
        small_area_code,
        force_code,
        point[1] as longitude,
        point[2] as latitude
    from (
        select
            small_area_code,
            force_code,
            unnest(flatten(flatten(
                from_json(boundary, '{"coordinates": [[[["DOUBLE"]]]]}').coordinates
            ))) as point
        from {{ ref('int_small_areas__described') }}
        where boundary is not null
    )

)

select distinct
    points.small_area_code,
    neighbours.small_area_code as neighbour_code
from points
inner join points as neighbours
    on
        points.force_code = neighbours.force_code
        and points.longitude = neighbours.longitude
        and points.latitude = neighbours.latitude
