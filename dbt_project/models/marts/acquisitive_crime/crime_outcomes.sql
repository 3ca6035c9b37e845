-- What became of recorded crimes: for each area, crime type and group of outcomes the crimes
-- recorded in a quarter, or in twelve months to its end, of which the latest known outcome is of
-- the group.

with quarters as (

    select
        area_code,
        crime_type,
        outcome_group,
        'quarter' as period_type,
        quarter as period_start,
        period_end,
        period_label,
        offences,
        offences_with_outcome,
        deliveries
    from {{ ref('int_crime_outcomes__summed') }}

),

-- Every quarter has a row, so four in order are a year.
runs as (

    select
        area_code,
        crime_type,
        outcome_group,
        quarter,
        period_end,
        list(quarter) over four_quarters as quarters,
        list(offences) over four_quarters as offences,
        list(offences_with_outcome) over four_quarters as offences_with_outcome,
        list(deliveries) over four_quarters as deliveries
    from {{ ref('int_crime_outcomes__summed') }}
    window four_quarters as (
        partition by area_code, crime_type, outcome_group
        order by quarter
        rows between 3 preceding and current row
    )

),

years as (

    select
        area_code,
        crime_type,
        outcome_group,
        'twelve_months' as period_type,
        quarters[1] as period_start,
        period_end,
        'Twelve months to ' || strftime(period_end, '%B %Y') as period_label,
        case when list_count(offences) = 4 then list_sum(offences) end::bigint as offences,
        case when list_count(offences_with_outcome) = 4 then list_sum(offences_with_outcome) end
        ::bigint as offences_with_outcome,
        {{ listed_deliveries("string_split(array_to_string(deliveries, '; '), '; ')") }}
            as deliveries
    from runs
    where len(quarters) = 4

),

periods as (

    select
        area_code,
        crime_type,
        outcome_group,
        period_type,
        period_start,
        period_end,
        period_label,
        offences,
        offences_with_outcome,
        deliveries
    from quarters
    union all
    select
        area_code,
        crime_type,
        outcome_group,
        period_type,
        period_start,
        period_end,
        period_label,
        offences,
        offences_with_outcome,
        deliveries
    from years

)

select
    periods.area_code,
    areas.area_name,
    areas.area_type,
    areas.csp,
    periods.crime_type,
    {{ period_key('periods.period_type', 'periods.period_start') }} as period_key,
    periods.period_type,
    periods.period_start,
    periods.period_end,
    periods.period_label,
    periods.outcome_group,
    groups.outcome_group_order,
    groups.is_sum,
    periods.offences_with_outcome,
    periods.offences,
    100.0 * {{ proportion('periods.offences_with_outcome', 'periods.offences') }}
        as percent_of_offences,
    100.0 * {{ proportion_lower('periods.offences_with_outcome', 'periods.offences') }}
        as percent_lower,
    100.0 * {{ proportion_upper('periods.offences_with_outcome', 'periods.offences') }}
        as percent_upper,
    'per cent of offences' as unit,
    {{ row_status(
        unavailable='periods.offences_with_outcome is null',
        not_applicable='areas.last_day < periods.period_start or coalesce('
        ~ 'periods.offences = 0 and periods.offences_with_outcome = 0, false)',
        carried='periods.period_end > refresh.quarter_end - interval '
        ~ var('outcome_provisional_months') ~ ' month'
    ) }} as status,
    periods.deliveries
from periods
inner join {{ ref('int_areas__listed') }} as areas on periods.area_code = areas.area_code
inner join {{ ref('outcome_groups') }} as groups on periods.outcome_group = groups.outcome_group
cross join {{ source('control', 'refresh') }} as refresh
