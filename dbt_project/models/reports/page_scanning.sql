-- Scanning: every crime type of an area on one page, total crime first, then by priority score.

select
    area_code,
    area_name,
    csp,
    row_number() over (
        partition by area_code
        order by crime_type <> '{{ var("total_crime") }}', priority_rank nulls last, crime_type
    )::integer as row_order,
    crime_type,
    period_end,
    period_key,
    period_label,
    offences,
    offences_year_before,
    change_percent,
    change_percent_lower,
    change_percent_upper,
    {{ signed_percent('change_percent_lower') }} || ' to '
    || coalesce({{ signed_percent('change_percent_upper') }}, 'no upper limit') as change_limits,
    replace(compared_with_year_before, 'similar', 'not clear') as compared_with_year_before,
    rate_per_1000,
    rest_rate_per_1000,
    rate_ratio_lower,
    rate_ratio_upper,
    replace(compared_with_rest, 'similar', 'not clear') as compared_with_rest,
    last_month_offences,
    coalesce(
        last_month_signal, case when last_month_offences is not null then 'not tested' end
    ) as last_month_signal,
    offences_by_month,
    missing_because,
    priority_score,
    {{ rank_range('priority_rank_best', 'priority_rank_worst') }} as rank_range,
    case when crime_type = '{{ var("total_crime") }}' then '[z]' end as priority_score_status,
    case when crime_type = '{{ var("total_crime") }}' then '[z]' end as rank_range_status,
    status,
    deliveries
from {{ ref('crime_scanning') }}
