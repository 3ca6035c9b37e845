-- Groups of objects, categories of each dimension and outcomes add up to all searches.
{{ config(meta={'dagster': {'ref': {'name': 'stop_and_search'}}}) }}

with wholes as (

    select
        area_code,
        period_key,
        searches,
        vehicle_searches
    from {{ ref('stop_and_search') }}
    where is_sum and dimension = 'all'

),

parts as (

    select
        area_code,
        period_key,
        dimension,
        sum(searches) as searches,
        sum(vehicle_searches) as vehicle_searches,
        sum(
            searches_with_arrest + searches_with_other_action + searches_with_no_further_action
            + searches_with_outcome_unknown
        ) as searches_by_outcome
    from {{ ref('stop_and_search') }}
    where not is_sum
    group by area_code, period_key, dimension

)

select
    parts.area_code,
    parts.period_key,
    parts.dimension,
    wholes.searches as all_searches,
    parts.searches,
    parts.searches_by_outcome
from parts
inner join wholes on parts.area_code = wholes.area_code and parts.period_key = wholes.period_key
where
    parts.searches is distinct from wholes.searches
    or parts.searches_by_outcome is distinct from wholes.searches
    or parts.vehicle_searches is distinct from wholes.vehicle_searches
