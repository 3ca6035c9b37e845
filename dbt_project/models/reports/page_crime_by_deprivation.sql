-- Every crime type of an area by deprivation of its small areas, in fifths of England.

select
    area_code,
    area_name,
    csp,
    (row_number() over (
        partition by area_code
        order by
            crime_type <> '{{ var("total_crime") }}',
            offences_of_area desc nulls last,
            crime_type,
            deprivation_group
    ))::integer as row_order,
    crime_type,
    period_key,
    period_end,
    period_label,
    deprivation_group,
    deprivation_label,
    deprivation_year,
    small_areas,
    population,
    population_mid_year,
    share_of_population,
    offences,
    share_of_offences,
    rate_per_1000,
    rate_lower,
    rate_upper,
    offence_ratio,
    offence_ratio_lower,
    offence_ratio_upper,
    -- No figure where no small area of the area has an index.
    case when deprivation_year is not null then offences_without_index end
        as offences_without_index,
    status,
    deliveries
from {{ ref('crime_by_deprivation') }}
where group_type = 'quintile'
