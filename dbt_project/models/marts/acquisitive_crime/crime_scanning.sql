-- Every crime type of an area at a glance: the latest twelve months against the twelve before and
-- against the rest of the force, the last month's signal, and a priority score that orders them.

with scanned as (

    select
        counted.area_code,
        counted.area_name,
        counted.area_type,
        counted.csp,
        counted.crime_type,
        counted.period_start,
        counted.period_end,
        counted.period_label,
        counted.offences,
        counted.offences_year_before,
        100 * (counted.offences / nullif(counted.offences_year_before, 0) - 1) as change_percent,
        {{ ratio_lower('counted.offences', 'counted.offences_year_before', 'counted.dispersion') }}
            as change_lower,
        {{ ratio_upper('counted.offences', 'counted.offences_year_before', 'counted.dispersion') }}
            as change_upper,
        changes.compared as compared_with_year_before,
        counted.population,
        counted.rate_per_1000,
        counted.rate_lower,
        counted.rate_upper,
        counted.rest_offences,
        counted.rest_population,
        {{ rate_per_1000('counted.rest_offences', 'counted.rest_population') }}
            as rest_rate_per_1000,
        counted.rest_population::double / counted.population as exposure,
        {{ ratio_lower('counted.offences', 'counted.rest_offences', 'counted.dispersion') }}
            as rest_lower,
        {{ ratio_upper('counted.offences', 'counted.rest_offences', 'counted.dispersion') }}
            as rest_upper,
        rests.compared as compared_with_rest,
        counted.last_month_offences,
        -- The limits of the control chart lie three standard deviations from its average.
        case
            when last_months.compared = 'higher' and last_months.deviate > 3 then 'above limit'
            when last_months.compared = 'lower' and last_months.deviate < -3 then 'below limit'
            when last_months.compared is not null then 'none'
        end as last_month_signal,
        counted.dispersion,
        counted.counts,
        -- Total crime is the sum of what is ordered, so it has no place in the order.
        counted.crime_type <> '{{ var("total_crime") }}' as is_ordered,
        counted.status,
        counted.deliveries
    from {{ ref('int_crime_scanning__counted') }} as counted
    left join {{ ref('int_crime_scanning__tested') }} as changes
        on
            counted.area_code = changes.area_code
            and counted.crime_type = changes.crime_type
            and changes.question = 'change'
    left join {{ ref('int_crime_scanning__tested') }} as rests
        on
            counted.area_code = rests.area_code
            and counted.crime_type = rests.crime_type
            and rests.question = 'rest'
    left join {{ ref('int_crime_scanning__tested') }} as last_months
        on
            counted.area_code = last_months.area_code
            and counted.crime_type = last_months.crime_type
            and last_months.question = 'month'

),

pointed as (

    select
        area_code,
        crime_type,
        100 * percent_rank() over (partition by area_code order by offences) as volume_points,
        {{ points_of_ratio('compared_with_year_before', 'change_lower', 'change_upper') }}
            as change_points,
        {{ points_of_ratio(
            'compared_with_rest', 'rest_lower * exposure', 'rest_upper * exposure'
        ) }} as rest_points,
        area_type = 'force' or exposure is null as has_no_rest
    from scanned
    where is_ordered and offences is not null

),

-- The declared weights, and each weight more or less at the cost of another one.
weights as (

    select
        {{ var('priority_weight_volume') }} + volume_shift as volume_weight,
        {{ var('priority_weight_change') }} + change_shift as change_weight,
        {{ var('priority_weight_rest') }} - volume_shift - change_shift as rest_weight,
        volume_shift = 0 and change_shift = 0 as is_declared
    from (
        select
            unnest([-1, -1, 0, 0, 0, 1, 1]) * {{ var('priority_weight_shift') }} as volume_shift,
            unnest([0, 1, -1, 0, 1, -1, 0]) * {{ var('priority_weight_shift') }} as change_shift
    )

),

-- Where there is no rest of the force, the two other weights are used.
weighted as (

    select
        pointed.area_code,
        pointed.crime_type,
        pointed.volume_points,
        pointed.change_points,
        pointed.rest_points,
        weights.is_declared,
        weights.volume_weight,
        weights.change_weight,
        case
            when pointed.has_no_rest
                then
                    (
                        weights.volume_weight * pointed.volume_points
                        + weights.change_weight * pointed.change_points
                    ) / (weights.volume_weight + weights.change_weight)
            else
                (
                    weights.volume_weight * pointed.volume_points
                    + weights.change_weight * pointed.change_points
                    + weights.rest_weight * pointed.rest_points
                ) / (weights.volume_weight + weights.change_weight + weights.rest_weight)
        end as score
    from pointed
    cross join weights

),

ranked as (

    select
        area_code,
        crime_type,
        volume_points,
        change_points,
        rest_points,
        is_declared,
        score,
        case
            when score is not null
                then rank() over (
                    partition by area_code, volume_weight, change_weight
                    order by score desc nulls last
                )
        end::integer as place
    from weighted

),

scored as (

    select
        area_code,
        crime_type,
        any_value(volume_points) as volume_points,
        any_value(change_points) as change_points,
        any_value(rest_points) as rest_points,
        max(score) filter (where is_declared) as priority_score,
        max(place) filter (where is_declared) as priority_rank,
        min(place) as priority_rank_best,
        max(place) as priority_rank_worst
    from ranked
    group by area_code, crime_type

)

select
    scanned.area_code,
    scanned.area_name,
    scanned.area_type,
    scanned.csp,
    scanned.crime_type,
    scanned.period_start,
    scanned.period_end,
    scanned.period_label,
    scanned.offences,
    scanned.offences_year_before,
    scanned.change_percent,
    100 * (scanned.change_lower - 1) as change_percent_lower,
    100 * (scanned.change_upper - 1) as change_percent_upper,
    scanned.compared_with_year_before,
    scanned.population,
    scanned.rate_per_1000,
    scanned.rate_lower,
    scanned.rate_upper,
    scanned.rest_offences,
    scanned.rest_population,
    scanned.rest_rate_per_1000,
    scanned.rate_per_1000 / nullif(scanned.rest_rate_per_1000, 0) as rate_ratio,
    scanned.rest_lower * scanned.exposure as rate_ratio_lower,
    scanned.rest_upper * scanned.exposure as rate_ratio_upper,
    scanned.compared_with_rest,
    scanned.last_month_offences,
    scanned.last_month_signal,
    scanned.dispersion,
    {{ listed_counts('scanned.counts') }} as offences_by_month,
    scored.volume_points,
    scored.change_points,
    scored.rest_points,
    scored.priority_score,
    scored.priority_rank,
    scored.priority_rank_best,
    scored.priority_rank_worst,
    scanned.status,
    scanned.deliveries
from scanned
left join scored
    on scanned.area_code = scored.area_code and scanned.crime_type = scored.crime_type
