-- Figure 10: monthly shoplifting with its control limits, from 1 January of the fifth calendar year
-- before the quarter being built.

select
    trends.area_code,
    trends.area_name,
    trends.csp,
    trends.period_start as month,
    trends.period_label as month_label,
    trends.offences,
    trends.rolling_12m_offences,
    adjusted.seasonally_adjusted,
    trends.xmr_since,
    trends.xmr_is_restart,
    trends.xmr_centre,
    trends.xmr_lower,
    trends.xmr_upper,
    trends.xmr_signal,
    trends.missing_because,
    trends.count_status as status,
    trends.count_deliveries as deliveries
from {{ ref('int_crime_trends__measured') }} as trends
cross join {{ source('control', 'refresh') }} as refresh
left join {{ ref('crime_seasonal') }} as adjusted
    on
        trends.area_code = adjusted.area_code
        and trends.crime_type = adjusted.crime_type
        and trends.period_start = adjusted.month
where
    trends.crime_type = 'Shoplifting'
    and trends.period_type = 'month'
    and trends.period_start >= make_date(year(refresh.as_at) - 5, 1, 1)
