-- The official count of each area against those of similar areas: rate, rank and funnel limits, by
-- offence group, in every twelve months.

with own as (

    select
        area_code,
        recorded_offence_group,
        is_sum,
        period_key,
        period_start,
        period_end,
        period_label,
        offences,
        population,
        rate_per_1000,
        rate_lower,
        rate_upper,
        group_rate_per_1000,
        dispersion,
        funnel_warning_lower,
        funnel_warning_upper,
        funnel_limit_lower,
        funnel_limit_upper,
        status,
        deliveries
    from {{ ref('int_similar_areas__counted') }}
    where is_own

),

similar_areas as (

    select
        area_code,
        recorded_offence_group,
        period_key,
        offences,
        population,
        rate_per_1000,
        rate_lower,
        rate_upper,
        deliveries
    from {{ ref('int_similar_areas__counted') }}
    where not is_own and rate_per_1000 is not null

),

compared as (

    select
        own.area_code,
        own.recorded_offence_group,
        own.period_key,
        count(*) as areas_compared,
        1000.0 * sum(others.offences) / sum(others.population) as similar_rate_per_1000,
        quantile_cont(others.rate_per_1000, 0.5) as similar_median,
        1 + count(*) filter (where others.rate_per_1000 > own.rate_per_1000) as rate_rank,
        -- Ranks that chance allows: only an area whose limits lie apart is surely before or after.
        1 + count(*) filter (where others.rate_lower > own.rate_upper) as highest_rank,
        1 + count(*) filter (where others.rate_upper >= own.rate_lower) as lowest_rank,
        {{ all_deliveries('others.deliveries') }} as deliveries
    from own
    inner join similar_areas as others
        on
            own.area_code = others.area_code
            and own.recorded_offence_group = others.recorded_offence_group
            and own.period_key = others.period_key
    where own.rate_per_1000 is not null
    group by own.area_code, own.recorded_offence_group, own.period_key

)

select
    own.area_code,
    areas.area_name,
    areas.area_type,
    areas.csp,
    own.recorded_offence_group,
    own.is_sum,
    own.period_key,
    own.period_start,
    own.period_end,
    own.period_label,
    own.offences,
    own.population,
    own.rate_per_1000,
    own.rate_lower,
    own.rate_upper,
    coalesce(compared.areas_compared, 0)::integer as areas_compared,
    compared.similar_rate_per_1000,
    compared.similar_median,
    compared.rate_rank::integer as rate_rank,
    compared.highest_rank::integer as highest_rank,
    compared.lowest_rank::integer as lowest_rank,
    own.dispersion,
    own.funnel_warning_lower,
    own.funnel_warning_upper,
    own.funnel_limit_lower,
    own.funnel_limit_upper,
    case
        when own.rate_per_1000 > own.funnel_limit_upper then 'higher'
        when own.rate_per_1000 < own.funnel_limit_lower then 'lower'
        when own.funnel_limit_upper is not null then 'not clear'
    end as compared_with_similar,
    'offences per 1,000 population' as unit,
    case
        when compared.areas_compared is null then '[x]'
        else own.status
    end as status,
    {{ joined_deliveries('own.deliveries', 'compared.deliveries') }} as deliveries
from own
inner join {{ ref('int_areas__listed') }} as areas on own.area_code = areas.area_code
left join compared
    on
        own.area_code = compared.area_code
        and own.recorded_offence_group = compared.recorded_offence_group
        and own.period_key = compared.period_key
