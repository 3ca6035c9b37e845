-- Table 1: rates of known offenders by area of residence, one row for each cell of the printed
-- table, which has the periods down and across the force area, its partnerships of several
-- districts and its districts by name.

with rates as (

    select
        period_type,
        period_start,
        period_end,
        period_label,
        area_code,
        area_name,
        area_type,
        csp,
        offenders,
        population,
        population_mid_year,
        population_estimator,
        rate_per_1000,
        comparison_basis,
        break_reason,
        status,
        deliveries
    from {{ ref('offender_rates') }}
    where area_type in ('district', 'partnership', 'force')

),

periods as (

    select
        period_type,
        period_start,
        row_number() over (order by period_start, period_type)::integer as period_order
    from (
        select distinct
            period_type,
            period_start
        from rates
    ) as listed_periods

),

areas as (

    select
        area_code,
        row_number() over (
            order by list_position(['force', 'partnership', 'district'], area_type), area_name
        )::integer as area_order
    from (
        select distinct
            area_code,
            area_name,
            area_type
        from rates
    ) as listed_areas

)

select
    periods.period_order,
    areas.area_order,
    rates.period_type,
    rates.period_start,
    rates.period_end,
    rates.period_label,
    rates.area_code,
    rates.area_name,
    rates.csp,
    rates.offenders,
    rates.population,
    rates.population_mid_year,
    rates.population_estimator,
    round(rates.rate_per_1000, 1) as rate_per_1000,
    rates.comparison_basis,
    rates.break_reason,
    rates.status,
    rates.deliveries
from rates
inner join periods
    on
        rates.period_type = periods.period_type
        and rates.period_start = periods.period_start
inner join areas on rates.area_code = areas.area_code
order by periods.period_order, areas.area_order
