-- Crime types as facts name them, with the sum of all crimes.

with types as (

    select
        crime_type,
        min(first_month) as first_month,
        case when count(last_month) = count(*) then max(last_month) end as last_month,
        string_agg(
            case when breaks_series then strftime(first_month, '%B %Y') || ': ' || note end,
            '; ' order by first_month
        ) as series_breaks
    from {{ ref('crime_types') }}
    group by crime_type

),

grouped as (

    select
        types.crime_type,
        groups.crime_type_group,
        groups.group_order,
        types.first_month,
        types.last_month,
        types.series_breaks,
        types.crime_type <> '{{ var("incidents") }}' as is_in_total_crime
    from types
    left join {{ ref('crime_type_groups') }} as groups on types.crime_type = groups.crime_type

),

with_total as (

    select
        crime_type,
        crime_type_group,
        group_order,
        first_month,
        last_month,
        series_breaks,
        is_in_total_crime
    from grouped
    union all
    select
        '{{ var("total_crime") }}' as crime_type,
        '{{ var("total_crime") }}' as crime_type_group,
        0 as group_order,
        min(first_month) as first_month,
        null as last_month,
        null as series_breaks,
        false as is_in_total_crime
    from grouped
    where is_in_total_crime

)

select
    with_total.crime_type,
    regexp_replace(lower(with_total.crime_type), '[^a-z0-9]+', '-', 'g') as crime_type_slug,
    with_total.crime_type_group,
    row_number() over (
        order by with_total.group_order, with_total.crime_type
    )::integer as crime_type_order,
    with_total.first_month,
    with_total.last_month,
    with_total.series_breaks,
    with_total.is_in_total_crime,
    coalesce(weights.mean_weight is not null, false) as has_severity_weight
from with_total
left join {{ ref('int_crime_weights__averaged') }} as weights
    on with_total.crime_type = weights.crime_type
order by crime_type_order
