-- Whether a series has an outlook: its back-test, the outlook of the twelve months together, or why
-- there is none.

with judged as (

    select
        runs.area_code,
        runs.area_name,
        runs.area_type,
        runs.csp,
        runs.crime_type,
        runs.last_month,
        runs.months,
        tested.origins,
        tested.error,
        tested.naive_error,
        tested.error_ratio,
        tested.coverage,
        tested.adjusted_p,
        tested.total,
        tested.total_lower,
        tested.total_upper,
        coalesce(
            runs.left_out,
            case
                when tested.area_code is null
                    then
                        'fewer than {{ outlook_min_months() }} months '
                        || 'without a gap or break in series'
            end,
            tested.failed_because
        ) as no_outlook_because,
        runs.deliveries
    from {{ ref('int_crime_seasonal__runs') }} as runs
    left join {{ ref('int_crime_outlook__tested') }} as tested
        on runs.area_code = tested.area_code and runs.crime_type = tested.crime_type

)

select
    area_code,
    area_name,
    area_type,
    csp,
    crime_type,
    {{ period_key("'month'", 'last_month') }} as period_key,
    last_month,
    months,
    origins,
    error,
    naive_error,
    error_ratio,
    coverage,
    adjusted_p,
    no_outlook_because is null as has_outlook,
    case when no_outlook_because is null then total end as forecast_offences,
    case when no_outlook_because is null then total_lower end as forecast_lower,
    case when no_outlook_because is null then total_upper end as forecast_upper,
    no_outlook_because,
    case when no_outlook_because is null then '[f]' else '[x]' end as status,
    deliveries
from judged
