-- Every series that is long and large enough for a back-test: the outlook of twelve months, how
-- earlier outlooks did against the same month a year before, and whether it passes.

with forecast as materialized (

    select
        area_code,
        crime_type,
        seasonal_outlook(
            counts, {{ var('seasonal_window_years') }}, {{ var('outlook_interval') }}
        ) as outlook,
        seasonal_back_test(
            counts, {{ var('seasonal_window_years') }}, {{ var('outlook_interval') }},
            {{ var('seasonal_min_months') }}, {{ var('outlook_origin_step') }}
        ) as back_test
    from {{ ref('int_crime_seasonal__runs') }}
    where left_out is null and months >= {{ outlook_min_months() }}

),

ordered as (

    select
        area_code,
        crime_type,
        outlook['forecast'] as forecast,
        outlook['lower'] as lower_limit,
        outlook['upper'] as upper_limit,
        outlook['total'] as total,
        outlook['total_lower'] as total_lower,
        outlook['total_upper'] as total_upper,
        back_test['origins'] as origins,
        back_test['error'] as error,
        back_test['naive_error'] as naive_error,
        back_test['error'] / nullif(back_test['naive_error'], 0) as error_ratio,
        back_test['coverage'] as coverage,
        back_test['p'] as p,
        row_number() over (
            partition by area_code order by back_test['p'], crime_type
        ) as place,
        count(*) over (partition by area_code) as tests
    from forecast

),

judged as (

    select
        area_code,
        crime_type,
        forecast,
        lower_limit,
        upper_limit,
        total,
        total_lower,
        total_upper,
        origins::integer as origins,
        error,
        naive_error,
        error_ratio,
        coverage,
        {{ adjusted_p('p', 'place', 'tests', 'area_code') }} as adjusted_p
    from ordered

)

select
    area_code,
    crime_type,
    forecast,
    lower_limit,
    upper_limit,
    total,
    total_lower,
    total_upper,
    origins,
    error,
    naive_error,
    error_ratio,
    coverage,
    adjusted_p,
    case
        when coalesce(error_ratio > {{ var('outlook_max_error_ratio') }}, true)
            then
                'error less than {{ ((1 - var("outlook_max_error_ratio")) * 100) | round | int }}% '
                || 'below that of the same month a year before'
        when adjusted_p > {{ var('false_signal_share') }}
            then 'the lower error than that of the same month a year before may be chance'
        when coverage < {{ var('outlook_min_coverage') }}
            then
                'fewer than {{ (var("outlook_min_coverage") * 100) | round | int }}% of months '
                || 'within the limits of earlier outlooks'
    end as failed_because
from judged
