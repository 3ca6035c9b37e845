-- Harm of every crime type of an area: the offences of the latest twelve months times the mean
-- severity weight of the type, and the sum for total crime where every type has a weight.

with types as (

    select
        counted.area_code,
        counted.area_name,
        counted.area_type,
        counted.csp,
        counted.crime_type,
        counted.period_start,
        counted.period_end,
        counted.period_label,
        counted.crime_type = '{{ var("total_crime") }}' as is_total,
        -- Incidents are no offences that a court could sentence.
        counted.crime_type = '{{ var("incidents") }}' as is_incidents,
        counted.offences,
        counted.offences_year_before,
        counted.population,
        weights.weight_method,
        weights.edition,
        weights.weights,
        weights.mean_weight,
        counted.offences * weights.mean_weight as harm_score,
        counted.offences_year_before * weights.mean_weight as harm_score_year_before,
        counted.status as count_status,
        {{ joined_deliveries('counted.deliveries', 'weights.delivery') }} as deliveries
    from {{ ref('int_crime_scanning__counted') }} as counted
    left join {{ ref('int_crime_weights__averaged') }} as weights
        on
            counted.crime_type = weights.crime_type
            and counted.crime_type <> '{{ var("incidents") }}'

),

-- A sum over some of the types would count the others as harmless.
totals as (

    select
        area_code,
        max(edition) as edition,
        -- In one order, so that the last digits of a sum are the same in every build.
        case when count(harm_score) = count(*) then sum(harm_score order by crime_type) end
            as harm_score,
        case
            when count(harm_score_year_before) = count(*)
                then sum(harm_score_year_before order by crime_type)
        end as harm_score_year_before,
        case
            when count(offences) = count(*)
                then
                    100 * coalesce(sum(offences) filter (where mean_weight is not null), 0)
                    / nullif(sum(offences), 0)
        end as weighted_percent,
        {{ all_deliveries('deliveries') }} as deliveries
    from types
    where not is_total and not is_incidents
    group by area_code

),

measured as (

    select
        types.area_code,
        types.area_name,
        types.area_type,
        types.csp,
        types.crime_type,
        types.period_start,
        types.period_end,
        types.period_label,
        types.is_incidents,
        types.offences,
        types.population,
        types.mean_weight,
        types.weight_method,
        types.weights,
        case when types.is_total then totals.edition else types.edition end as edition,
        case when types.is_total then totals.harm_score else types.harm_score end as harm_score,
        case
            when types.is_total then totals.harm_score_year_before
            else types.harm_score_year_before
        end as harm_score_year_before,
        totals.harm_score as total_harm_score,
        case when types.is_total then totals.weighted_percent end as weighted_percent,
        types.count_status,
        case
            when types.is_total
                then {{ joined_deliveries('types.deliveries', 'totals.deliveries') }}
            else types.deliveries
        end as deliveries
    from types
    left join totals on types.area_code = totals.area_code

)

select
    area_code,
    area_name,
    area_type,
    csp,
    crime_type,
    {{ period_key("'twelve_months'", 'period_start') }} as period_key,
    period_start,
    period_end,
    period_label,
    offences,
    mean_weight,
    weight_method,
    weights,
    edition,
    harm_score,
    harm_score_year_before,
    100 * (harm_score / nullif(harm_score_year_before, 0) - 1) as harm_change_percent,
    population,
    {{ rate_per_1000('harm_score', 'population') }} as harm_per_1000,
    100 * (harm_score / nullif(total_harm_score, 0)) as harm_share_percent,
    weighted_percent,
    {{ row_status(
        not_applicable='is_incidents',
        unavailable='harm_score is null or nullif(population, 0) is null',
        after_break="coalesce(count_status = '[b]', false)",
        carried="coalesce(count_status = '[p]', false)"
    ) }} as status,
    deliveries
from measured
