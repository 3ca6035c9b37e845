-- Searches by force, month, group of objects and category of each dimension, with the sum of the
-- groups. Searches of a vehicle alone are counted apart. Only what was recorded has a row.

with forces as (

    select distinct
        force_code,
        force_name
    from {{ source('control', 'partnership_areas') }}

),

searches as (

    select
        forces.force_code,
        searches.month,
        searches.search_type <> 'Vehicle search' as is_of_person,
        unnest(
            [
                'All',
                coalesce(
                    objects.search_object_group,
                    case when searches.object_of_search is null then 'Not stated' else 'Other' end
                )
            ]
        ) as search_object_group,
        coalesce(outcomes.search_outcome_group, 'Unknown') as search_outcome_group,
        searches.outcome_linked,
        searches.sex,
        searches.age_range,
        searches.officer_defined_ethnicity
    from {{ ref('stg_police_uk_stop_and_search__searches') }} as searches
    inner join forces on searches.force_name = forces.force_name
    left join {{ ref('search_objects') }} as objects
        on searches.object_of_search = objects.search_object
    left join {{ ref('search_outcomes') }} as outcomes
        on searches.search_outcome = outcomes.search_outcome

),

by_dimension as (

    select
        force_code,
        month,
        is_of_person,
        search_object_group,
        search_outcome_group,
        outcome_linked,
        unnest([  -- noqa: AL03
            struct_pack(dimension := 'all', category := 'All'),
            struct_pack(dimension := 'sex', category := sex),
            struct_pack(dimension := 'age range', category := age_range),
            struct_pack(
                dimension := 'officer-defined ethnicity', category := officer_defined_ethnicity
            )
        ], recursive := true)
    from searches

)

select
    by_dimension.force_code,
    by_dimension.month,
    by_dimension.search_object_group,
    by_dimension.dimension,
    coalesce(categories.category, 'Not stated') as category,
    count(*) filter (where by_dimension.is_of_person) as searches,
    count(*) filter (where not by_dimension.is_of_person) as vehicle_searches,
    {%- for group, count in [
        ('Arrest', 'arrest'), ('Other action', 'other_action'),
        ('No further action', 'no_further_action'), ('Unknown', 'outcome_unknown')
    ] %}
    count(*) filter (
        where by_dimension.is_of_person and by_dimension.search_outcome_group = '{{ group }}'
    ) as searches_with_{{ count }},
    {%- endfor %}
    count(*) filter (
        where by_dimension.is_of_person and by_dimension.outcome_linked in ('True', 'False')
    ) as searches_with_link_stated,
    count(*) filter (
        where by_dimension.is_of_person and by_dimension.outcome_linked = 'True'
    ) as searches_linked
from by_dimension
left join {{ ref('search_categories') }} as categories
    on
        by_dimension.dimension = categories.dimension
        and by_dimension.category = categories.category
group by
    by_dimension.force_code,
    by_dimension.month,
    by_dimension.search_object_group,
    by_dimension.dimension,
    coalesce(categories.category, 'Not stated')
