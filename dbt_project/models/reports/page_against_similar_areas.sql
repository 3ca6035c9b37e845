-- The official count of the latest twelve months against similar areas, by offence group, all
-- offences first.

with latest as (

    select
        area_code,
        area_name,
        csp,
        recorded_offence_group,
        is_sum,
        period_key,
        period_end,
        period_label,
        offences,
        rate_per_1000,
        rate_lower,
        rate_upper,
        similar_rate_per_1000,
        similar_median,
        areas_compared,
        rate_rank,
        highest_rank,
        lowest_rank,
        funnel_limit_lower,
        funnel_limit_upper,
        compared_with_similar,
        status,
        deliveries
    from {{ ref('crime_against_similar_areas') }}
    qualify period_end = max(period_end) over ()

)

select
    area_code,
    area_name,
    csp,
    (row_number() over (
        partition by area_code
        order by is_sum desc, rate_per_1000 desc, recorded_offence_group asc
    ))::integer as row_order,
    recorded_offence_group,
    period_key,
    period_end,
    period_label,
    offences,
    rate_per_1000,
    rate_lower,
    rate_upper,
    similar_rate_per_1000,
    similar_median,
    areas_compared,
    rate_rank,
    case
        when rate_rank is not null then concat(
            rate_rank, ' of ', areas_compared + 1,
            case
                when highest_rank <> lowest_rank
                    then concat(' (', highest_rank, ' to ', lowest_rank, ')')
            end
        )
    end as rank_text,
    funnel_limit_lower,
    funnel_limit_upper,
    compared_with_similar,
    status,
    deliveries
from latest
