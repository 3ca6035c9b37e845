-- Outlook: every crime type of an area, its last month without season, the change of its trend, and
-- the next twelve months or why there is no outlook.

with trends as (

    select
        area_code,
        crime_type,
        month,
        offences,
        seasonally_adjusted,
        100 * (trend / lag(trend, 12) over series - 1) as trend_change_percent,
        status
    from {{ ref('crime_seasonal') }}
    window series as (partition by area_code, crime_type order by month)

)

select
    verdicts.area_code,
    verdicts.area_name,
    verdicts.csp,
    row_number() over (
        partition by verdicts.area_code
        order by
            verdicts.crime_type <> '{{ var("total_crime") }}',
            trends.trend_change_percent is null,
            trends.offences desc nulls last,
            verdicts.crime_type
    )::integer as row_order,
    verdicts.crime_type,
    verdicts.period_key,
    verdicts.last_month,
    trends.offences,
    trends.seasonally_adjusted,
    trends.trend_change_percent,
    verdicts.forecast_offences,
    round(verdicts.forecast_lower)::bigint || ' to ' || round(verdicts.forecast_upper)::bigint
        as forecast_limits,
    verdicts.no_outlook_because,
    case when trends.offences is null then '[x]' end as offences_status,
    trends.status as seasonally_adjusted_status,
    case when trends.trend_change_percent is null then '[x]' end as trend_change_percent_status,
    verdicts.status,
    verdicts.deliveries
from {{ ref('crime_outlook_verdicts') }} as verdicts
left join trends
    on
        verdicts.area_code = trends.area_code
        and verdicts.crime_type = trends.crime_type
        and verdicts.last_month = trends.month
