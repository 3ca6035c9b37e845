-- Recorded crime by month, area and crime type, with the rate for districts and partnerships. A
-- district that rows of the month may lie in and no lookup places has no count.

with counts as (

    select
        month,
        area_code,
        force_code,
        crime_type,
        offences,
        is_after_break,
        delivery
    from {{ ref('int_crime__completed') }}

)

select
    counts.month,
    counts.area_code,
    areas.area_name,
    areas.area_type,
    areas.csp,
    counts.force_code,
    counts.crime_type,
    counts.offences,
    populations.population,
    populations.mid_year as population_mid_year,
    populations.estimator as population_estimator,
    {{ rate_per_1000('counts.offences', 'populations.population') }} as rate_per_1000,
    {{ rate_lower('counts.offences', 'populations.population', 'exact') }} as rate_lower,
    {{ rate_upper('counts.offences', 'populations.population', 'exact') }} as rate_upper,
    'offences per 1,000 population' as unit,
    {{ row_status(
        unavailable='counts.offences is null or nullif(populations.population, 0) is null',
        not_applicable="areas.last_day < counts.month or ("
        ~ "areas.area_type not in ('district', 'partnership') and counts.offences is not null)",
        after_break='counts.is_after_break',
        carried='populations.is_carried_forward'
    ) }} as status,
    {{ joined_deliveries('counts.delivery', 'populations.delivery') }} as deliveries
from counts
inner join {{ ref('int_crime_areas__listed') }} as areas on counts.area_code = areas.area_code
left join {{ ref('int_populations__carried') }} as populations
    on
        counts.area_code = populations.area_code
        and year(counts.month) = populations.calendar_year
left join {{ ref('poisson_exact_limits') }} as exact on counts.offences = exact.offences
