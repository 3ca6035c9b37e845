-- Known offenders per 1,000 population by area of residence: calendar years as the force counted
-- them, financial years from charges. The two never stand in one series without a break.

with counts as (

    select
        period_type,
        period_start,
        period_end,
        period_label,
        area_code,
        offenders,
        is_summed,
        counted_from,
        delivery
    from {{ ref('int_offender_counts__combined') }}

),

with_populations as (

    select
        counts.period_type,
        counts.period_start,
        counts.period_end,
        counts.period_label,
        counts.area_code,
        areas.area_name,
        areas.area_type,
        areas.csp,
        areas.print_order,
        counts.offenders,
        counts.is_summed,
        counts.counted_from,
        populations.population,
        populations.mid_year,
        populations.estimator,
        populations.is_carried_forward,
        counts.delivery,
        populations.delivery as population_delivery
    from counts
    inner join {{ ref('int_areas__listed') }} as areas on counts.area_code = areas.area_code
    left join {{ ref('int_offender_populations__chosen') }} as populations
        on
            counts.area_code = populations.area_code
            -- A financial year is divided by the mid-year within it.
            and year(counts.period_start) = populations.calendar_year

),

with_breaks as (

    select
        period_type,
        period_start,
        period_end,
        period_label,
        area_code,
        area_name,
        area_type,
        csp,
        print_order,
        offenders,
        counted_from,
        population,
        mid_year,
        estimator,
        is_carried_forward,
        delivery,
        population_delivery,
        period_type = 'financial_year'
        and row_number() over same_kind = 1
        and bool_or(period_type = 'calendar_year') over (partition by area_code)
            as starts_financial_years,
        -- A year without a population does not hide that the estimator changes.
        lag(estimator ignore nulls) over same_kind as estimator_before,
        coalesce(
            not is_summed
            and lag(is_summed) over same_kind
            and delivery <> lag(delivery) over same_kind,
            false
        ) as follows_predecessors
    from with_populations
    window same_kind as (partition by area_code, period_type order by period_start)

),

explained as (

    select
        period_type,
        period_start,
        period_end,
        period_label,
        area_code,
        area_name,
        area_type,
        csp,
        print_order,
        offenders,
        counted_from,
        population,
        mid_year,
        estimator,
        is_carried_forward,
        delivery,
        population_delivery,
        nullif(concat_ws(
            '; ',
            case
                when starts_financial_years
                    then 'financial year from charges, after calendar years as counted by the force'
            end,
            case
                when follows_predecessors
                    then 'count of the district, before of the districts that it was made of'
            end,
            case
                when estimator <> estimator_before
                    then 'population by ' || estimator || ', before by ' || estimator_before
            end
        ), '') as break_reason
    from with_breaks

)

select
    {{ period_key('explained.period_type', 'explained.period_start') }} as period_key,
    explained.period_type,
    explained.period_start,
    explained.period_end,
    explained.period_label,
    explained.area_code,
    explained.area_name,
    explained.area_type,
    explained.csp,
    explained.offenders,
    explained.counted_from,
    explained.population,
    explained.mid_year as population_mid_year,
    explained.estimator as population_estimator,
    {{ rate_per_1000('explained.offenders', 'explained.population') }} as rate_per_1000,
    {{ rate_lower('explained.offenders', 'explained.population', 'exact') }} as rate_lower,
    {{ rate_upper('explained.offenders', 'explained.population', 'exact') }} as rate_upper,
    'offenders per 1,000 population' as unit,
    -- Two rows of an area are like with like only where all three are the same.
    concat_ws(
        ', ', explained.period_type, explained.counted_from, explained.estimator
    ) as comparison_basis,
    explained.break_reason,
    {{ row_status(
        not_applicable="explained.area_type not in ('district', 'partnership', 'force')",
        unavailable='explained.offenders is null or nullif(explained.population, 0) is null',
        after_break='explained.break_reason is not null',
        carried='explained.is_carried_forward'
    ) }} as status,
    {{ joined_deliveries('explained.delivery', 'explained.population_delivery') }} as deliveries
from explained
left join {{ ref('poisson_exact_limits') }} as exact on explained.offenders = exact.offences
order by explained.period_start, explained.print_order
