-- Crimes of each quarter by district, partnership of several districts and force area, crime type
-- and group of outcomes, with zeros, the sum of groups and total crime. Offences are those of the
-- trends, so that both are unknown in the same places. Outcomes are unknown where a force sends
-- none.

with counted as (

    select
        counted.force_code,
        {{ areas_counted_in(
            'counted.district_code', 'areas.partnership_code', 'counted.force_code'
        ) }} as area_code,
        date_trunc('quarter', counted.month)::date as quarter,
        counted.crime_type,
        counted.outcome_group,
        counted.offences_with_outcome
    from {{ ref('int_crime_outcomes__counted') }} as counted
    left join {{ ref('int_areas__listed') }} as areas on counted.district_code = areas.area_code

),

with_sums as (

    select
        area_code,
        quarter,
        unnest([crime_type, '{{ var("total_crime") }}']) as crime_type,
        outcome_group,
        offences_with_outcome
    from counted
    union all
    select
        area_code,
        quarter,
        unnest([crime_type, '{{ var("total_crime") }}']) as crime_type,
        'Charged or out of court' as outcome_group,
        offences_with_outcome
    from counted
    where outcome_group in ('Charged', 'Out of court')

),

counts as (

    select
        area_code,
        quarter,
        crime_type,
        outcome_group,
        sum(offences_with_outcome)::bigint as offences_with_outcome
    from with_sums
    group by area_code, quarter, crime_type, outcome_group

),

-- Quarters that lie in the latest months as a whole.
force_quarters as (

    select
        force_code,
        date_trunc('quarter', month)::date as quarter,
        bool_or(outcome_group <> '{{ var("no_outcome") }}') as has_outcomes
    from {{ ref('int_crime_outcomes__counted') }}
    group by force_code, date_trunc('quarter', month)

),

first_months as (

    select
        force_code,
        min(month) as first_month
    from {{ ref('int_crime_outcomes__counted') }}
    group by force_code

),

outcome_deliveries as (

    select
        force_quarters.force_code,
        force_quarters.quarter,
        {{ all_deliveries('in_force.delivery') }} as deliveries
    from force_quarters
    inner join {{ source('control', 'partnership_areas') }} as forces
        on force_quarters.force_code = forces.force_code
    inner join {{ source('control', 'in_force') }} as in_force
        on
            forces.force_name = in_force.series
            and force_quarters.quarter <= in_force.period
    where in_force.source = 'police_uk_outcomes'
    group by force_quarters.force_code, force_quarters.quarter

),

offences as (

    select
        trends.area_code,
        areas.force_code,
        trends.crime_type,
        trends.period_start as quarter,
        trends.period_end,
        trends.period_label,
        trends.offences,
        coalesce(force_quarters.has_outcomes, false) as has_outcomes,
        {{ joined_deliveries('trends.delivery', 'outcome_deliveries.deliveries') }} as deliveries
    from {{ ref('int_crime_trends__counted') }} as trends
    inner join {{ ref('int_areas__listed') }} as areas on trends.area_code = areas.area_code
    inner join first_months
        on
            areas.force_code = first_months.force_code
            and trends.period_start >= first_months.first_month
    left join force_quarters
        on
            areas.force_code = force_quarters.force_code
            and trends.period_start = force_quarters.quarter
    left join outcome_deliveries
        on
            areas.force_code = outcome_deliveries.force_code
            and trends.period_start = outcome_deliveries.quarter
    where trends.period_type = 'quarter' and trends.crime_type <> '{{ var("incidents") }}'

)

select
    offences.area_code,
    offences.force_code,
    offences.crime_type,
    offences.quarter,
    offences.period_end,
    offences.period_label,
    groups.outcome_group,
    offences.offences,
    case
        when offences.offences is not null and offences.has_outcomes
            then coalesce(counts.offences_with_outcome, 0)
    end as offences_with_outcome,
    offences.deliveries
from offences
cross join {{ ref('outcome_groups') }} as groups
left join counts
    on
        offences.area_code = counts.area_code
        and offences.crime_type = counts.crime_type
        and offences.quarter = counts.quarter
        and groups.outcome_group = counts.outcome_group
