-- Each area with those similar to it: all recorded offences of the latest twelve months of the
-- official count, and the limits of the funnel plot.

with latest as (

    select
        area_code,
        similarity_rank,
        member_code,
        member_name,
        distance,
        is_own,
        period_key,
        period_end,
        period_label,
        offences,
        population,
        rate_per_1000,
        rate_lower,
        rate_upper,
        group_rate_per_1000,
        funnel_warning_lower,
        funnel_warning_upper,
        funnel_limit_lower,
        funnel_limit_upper,
        status,
        deliveries
    from {{ ref('int_similar_areas__counted') }}
    where is_sum
    qualify period_end = max(period_end) over ()

)

select
    latest.area_code,
    areas.area_name,
    areas.csp,
    latest.similarity_rank,
    latest.is_own,
    latest.member_code,
    latest.member_name,
    latest.distance,
    latest.period_key,
    latest.period_end,
    latest.period_label,
    latest.offences,
    latest.population,
    latest.rate_per_1000,
    latest.rate_lower,
    latest.rate_upper,
    latest.group_rate_per_1000,
    latest.funnel_warning_lower,
    latest.funnel_warning_upper,
    latest.funnel_limit_lower,
    latest.funnel_limit_upper,
    case
        when latest.rate_per_1000 > latest.funnel_limit_upper then 'higher'
        when latest.rate_per_1000 < latest.funnel_limit_lower then 'lower'
        when latest.funnel_limit_upper is not null then 'not clear'
    end as compared_with_similar,
    case when latest.rate_per_1000 is null then '[x]' else latest.status end as status,
    latest.deliveries
from latest
inner join {{ ref('int_areas__listed') }} as areas on latest.area_code = areas.area_code
