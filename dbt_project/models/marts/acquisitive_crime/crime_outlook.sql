-- The outlook of twelve months of the series whose back-test passes.

with outlooks as (

    select
        runs.area_code,
        runs.area_name,
        runs.area_type,
        runs.csp,
        runs.crime_type,
        runs.last_month,
        unnest(generate_series(1, len(tested.forecast))) as months_ahead,
        unnest(tested.forecast) as forecast_offences,
        unnest(tested.lower_limit) as forecast_lower,
        unnest(tested.upper_limit) as forecast_upper,
        runs.deliveries
    from {{ ref('int_crime_seasonal__runs') }} as runs
    inner join {{ ref('int_crime_outlook__tested') }} as tested
        on runs.area_code = tested.area_code and runs.crime_type = tested.crime_type
    where tested.failed_because is null

)

select
    area_code,
    area_name,
    area_type,
    csp,
    crime_type,
    {{ period_key("'month'", '(last_month + to_months(months_ahead::integer))') }} as period_key,
    last_month,
    months_ahead::integer as months_ahead,
    (last_month + to_months(months_ahead::integer))::date as month,
    forecast_offences,
    forecast_lower,
    forecast_upper,
    '[f]' as status,
    deliveries
from outlooks
