-- The small areas of each district by their total crime, the highest first, with boundaries.

select
    spots.area_code,
    spots.area_name,
    spots.csp,
    row_number() over (
        partition by spots.area_code
        order by spots.offences desc, spots.small_area_code asc
    )::integer as row_order,
    spots.small_area_code,
    spots.small_area_name,
    small_areas.ward_name,
    small_areas.town_names,
    spots.crime_type,
    spots.period_end,
    spots.period_key,
    spots.period_label,
    spots.offences,
    spots.offences_year_before,
    100 * {{ proportion(
        'spots.offences', 'sum(spots.offences) over (partition by spots.area_code)'
    ) }} as percent_of_area,
    spots.rank_in_force,
    spots.band,
    spots.months_among_highest,
    spots.months_counted,
    spots.verdict,
    coalesce(
        spots.persistence, case when spots.verdict_year_before is not null then 'none' end
    ) as persistence,
    small_areas.boundary,
    spots.deliveries
from {{ ref('crime_hot_spots') }} as spots
inner join {{ ref('small_areas') }} as small_areas
    on spots.small_area_code = small_areas.small_area_code
where spots.crime_type = '{{ var("total_crime") }}'
