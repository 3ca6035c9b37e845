-- Seasonally adjusted counts beside the raw ones, by month. A series that is too short or too small
-- has one row, of its last month, with the reason.

with adjusted as (

    select
        runs.area_code,
        runs.area_name,
        runs.area_type,
        runs.csp,
        runs.crime_type,
        adjusted.is_seasonal,
        unnest(runs.run_months) as month,
        unnest(adjusted.adjusted) as adjusted_offences,
        unnest(adjusted.trend) as trend,
        unnest(adjusted.factor) as factor
    from {{ ref('int_crime_seasonal__runs') }} as runs
    inner join {{ ref('int_crime_seasonal__adjusted') }} as adjusted
        on runs.area_code = adjusted.area_code and runs.crime_type = adjusted.crime_type

),

rows_of_series as (

    select
        area_code,
        area_name,
        area_type,
        csp,
        crime_type,
        month,
        case when is_seasonal then adjusted_offences end as seasonally_adjusted,
        trend,
        case when is_seasonal then factor end as seasonal_factor,
        case when not is_seasonal then 'no season found' end as not_adjusted_because,
        case when not is_seasonal then '[z]' end as status
    from adjusted
    union all
    select
        area_code,
        area_name,
        area_type,
        csp,
        crime_type,
        last_month as month,
        null as seasonally_adjusted,
        null as trend,
        null as seasonal_factor,
        left_out as not_adjusted_because,
        '[x]' as status
    from {{ ref('int_crime_seasonal__runs') }}
    where left_out is not null

)

select
    series.area_code,
    series.area_name,
    series.area_type,
    series.csp,
    series.crime_type,
    series.month,
    counted.offences,
    series.seasonally_adjusted,
    series.trend,
    series.seasonal_factor,
    series.not_adjusted_because,
    series.status,
    counted.count_deliveries as deliveries
from rows_of_series as series
inner join {{ ref('int_crime_trends__measured') }} as counted
    on
        series.area_code = counted.area_code
        and series.crime_type = counted.crime_type
        and series.month = counted.period_start
        and counted.period_type = 'month'
