-- Stops and searches of each force in its latest twelve months by object of the search, with those
-- of the twelve months before.

with years as (

    select
        area_code,
        area_name,
        area_type,
        search_object_group,
        search_object_group_order,
        period_key,
        period_start,
        period_end,
        period_label,
        searches,
        rate_per_1000,
        rate_lower,
        rate_upper,
        percent_with_action,
        percent_with_action_lower,
        percent_with_action_upper,
        percent_linked,
        vehicle_searches,
        missing_because,
        status,
        deliveries
    from {{ ref('stop_and_search') }}
    where period_type = 'twelve_months' and dimension = 'all'

),

latest as (

    select
        area_code,
        max(period_end) as period_end
    from years
    group by area_code

)

select
    years.area_code,
    years.area_name,
    years.area_type,
    years.search_object_group,
    years.search_object_group_order,
    years.period_key,
    years.period_end,
    years.period_label,
    years.searches,
    year_before.searches as searches_year_before,
    years.rate_per_1000,
    years.rate_lower,
    years.rate_upper,
    years.percent_with_action,
    years.percent_with_action_lower,
    years.percent_with_action_upper,
    year_before.percent_with_action as percent_with_action_year_before,
    years.percent_linked,
    years.vehicle_searches,
    years.missing_because,
    years.status,
    {{ joined_deliveries('years.deliveries', 'year_before.deliveries') }} as deliveries
from years
inner join latest
    on years.area_code = latest.area_code and years.period_end = latest.period_end
left join years as year_before
    on
        years.area_code = year_before.area_code
        and years.search_object_group = year_before.search_object_group
        and years.period_start = year_before.period_start + interval 1 year
