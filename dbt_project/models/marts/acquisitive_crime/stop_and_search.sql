-- Stops and searches of each force area by month, quarter and twelve months to a quarter's end,
-- object of the search and category: what came of them, and the rate of all of them.

with joined as (

    select
        summed.force_code as area_code,
        areas.area_name,
        areas.area_type,
        summed.period_type,
        summed.period_start,
        summed.period_end,
        summed.search_object_group,
        summed.dimension,
        summed.category,
        {%- for count in search_counts() %}
        summed.{{ count }},
        {%- endfor %}
        summed.searches_with_arrest + summed.searches_with_other_action as searches_with_action,
        summed.searches - summed.searches_with_outcome_unknown as searches_with_outcome,
        -- Populations are not known by category as the police record it.
        case when summed.dimension = 'all' then populations.population end as population,
        case when summed.dimension = 'all' then populations.mid_year end as population_mid_year,
        case when summed.dimension = 'all' then populations.estimator end as population_estimator,
        summed.dimension = 'all' and coalesce(populations.is_carried_forward, false)
            as is_carried_forward,
        summed.missing_because,
        {{ joined_deliveries(
            'summed.deliveries', "case when summed.dimension = 'all' then populations.delivery end"
        ) }} as deliveries
    from {{ ref('int_stop_and_search__summed') }} as summed
    inner join {{ ref('int_areas__listed') }} as areas on summed.force_code = areas.area_code
    left join {{ ref('int_populations__carried') }} as populations
        on
            summed.force_code = populations.area_code
            and year(summed.period_end) = populations.calendar_year

)

select
    joined.area_code,
    joined.area_name,
    joined.area_type,
    {{ period_key('joined.period_type', 'joined.period_start') }} as period_key,
    joined.period_type,
    joined.period_start,
    joined.period_end,
    case joined.period_type
        when 'month' then strftime(joined.period_start, '%B %Y')
        when 'quarter' then {{ quarter_label('joined.period_start') }}
        else 'Twelve months to ' || strftime(joined.period_end, '%B %Y')
    end as period_label,
    joined.search_object_group,
    groups.search_object_group_order,
    groups.is_sum,
    joined.dimension,
    joined.category,
    categories.category_order,
    joined.searches,
    joined.population,
    joined.population_mid_year,
    joined.population_estimator,
    {{ rate_per_1000('joined.searches', 'joined.population') }} as rate_per_1000,
    {{ rate_lower('joined.searches', 'joined.population', 'exact') }} as rate_lower,
    {{ rate_upper('joined.searches', 'joined.population', 'exact') }} as rate_upper,
    'searches per 1,000 population' as unit,
    joined.searches_with_arrest,
    joined.searches_with_other_action,
    joined.searches_with_no_further_action,
    joined.searches_with_outcome_unknown,
    100.0 * {{ proportion('joined.searches_with_action', 'joined.searches_with_outcome') }}
        as percent_with_action,
    100.0 * {{ proportion_lower('joined.searches_with_action', 'joined.searches_with_outcome') }}
        as percent_with_action_lower,
    100.0 * {{ proportion_upper('joined.searches_with_action', 'joined.searches_with_outcome') }}
        as percent_with_action_upper,
    joined.searches_with_link_stated,
    joined.searches_linked,
    100.0 * {{ proportion('joined.searches_linked', 'joined.searches_with_link_stated') }}
        as percent_linked,
    joined.vehicle_searches,
    joined.missing_because,
    {{ row_status(
        unavailable="joined.searches is null or (joined.dimension = 'all' and "
        ~ 'nullif(joined.population, 0) is null)',
        carried='joined.is_carried_forward'
    ) }} as status,
    joined.deliveries
from joined
inner join {{ ref('search_object_groups') }} as groups
    on joined.search_object_group = groups.search_object_group
inner join {{ ref('search_categories') }} as categories
    on joined.dimension = categories.dimension and joined.category = categories.category
left join {{ ref('poisson_exact_limits') }} as exact on joined.searches = exact.offences
