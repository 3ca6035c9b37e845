-- Searches of each force by month, quarter and twelve months to a quarter's end, with zeros. A
-- period of which a month has no file has no count.

{%- set counts = search_counts() %}

with spans as (

    select
        force_code,
        min(month) as first_month,
        max(month_end) as last_day
    from {{ ref('int_stop_and_search__months') }}
    group by force_code

),

periods as (

    select
        spans.force_code,
        listed.period_type,
        listed.period_start,
        listed.period_end,
        case listed.period_type when 'month' then 1 when 'quarter' then 3 else 12 end as months
    from {{ ref('int_periods__listed') }} as listed
    inner join spans
        on
            listed.period_start <= spans.last_day
            and listed.period_end >= spans.first_month
    where
        listed.period_type in ('month', 'quarter')
        or (
            listed.period_type = 'twelve_months'
            and month(listed.period_end) % 3 = 0
            and listed.period_start >= spans.first_month
            and listed.period_end <= spans.last_day
        )

),

periods_of_force as (

    select
        periods.force_code,
        periods.period_type,
        periods.period_start,
        periods.period_end,
        count_if(months.has_file) = periods.months as is_whole,
        case
            when count_if(months.has_file) < periods.months
                then coalesce(
                    string_agg(
                        distinct months.missing_because, '; ' order by months.missing_because
                    ),
                    'the series has only a part of the period'
                )
        end as missing_because,
        {{ all_deliveries('months.delivery') }} as deliveries
    from periods
    inner join {{ ref('int_stop_and_search__months') }} as months
        on
            periods.force_code = months.force_code
            and months.month between periods.period_start and periods.period_end
    group by
        periods.force_code,
        periods.period_type,
        periods.period_start,
        periods.period_end,
        periods.months

),

counted as (

    select
        periods.force_code,
        periods.period_type,
        periods.period_start,
        counted.search_object_group,
        counted.dimension,
        {%- for count in counts %}
        sum(counted.{{ count }})::bigint as {{ count }},
        {%- endfor %}
        counted.category
    from periods
    inner join {{ ref('int_stop_and_search__counted') }} as counted
        on
            periods.force_code = counted.force_code
            and counted.month between periods.period_start and periods.period_end
    group by
        periods.force_code,
        periods.period_type,
        periods.period_start,
        counted.search_object_group,
        counted.dimension,
        counted.category

)

select
    periods.force_code,
    periods.period_type,
    periods.period_start,
    periods.period_end,
    groups.search_object_group,
    categories.dimension,
    categories.category,
    {%- for count in counts %}
    case when periods.is_whole then coalesce(counted.{{ count }}, 0) end as {{ count }},
    {%- endfor %}
    periods.missing_because,
    periods.deliveries
from periods_of_force as periods
cross join {{ ref('search_object_groups') }} as groups
cross join {{ ref('search_categories') }} as categories
left join counted
    on
        periods.force_code = counted.force_code
        and periods.period_type = counted.period_type
        and periods.period_start = counted.period_start
        and groups.search_object_group = counted.search_object_group
        and categories.dimension = counted.dimension
        and categories.category = counted.category
