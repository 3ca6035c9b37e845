-- The share of crimes charged or resolved out of court in the latest twelve months of each force,
-- against that of the force's other crimes: a test of two proportions, with p values adjusted for
-- the number of types in an area.

with latest as (

    select
        outcomes.area_code,
        outcomes.area_type,
        areas.force_code,
        outcomes.crime_type,
        outcomes.period_end,
        outcomes.offences,
        outcomes.offences_with_outcome
    from {{ ref('crime_outcomes') }} as outcomes
    inner join {{ ref('int_areas__listed') }} as areas on outcomes.area_code = areas.area_code
    where
        outcomes.period_type = 'twelve_months'
        and outcomes.outcome_group = 'Charged or out of court'
    qualify outcomes.period_end = max(outcomes.period_end) over (partition by areas.force_code)

),

with_rest as (

    select
        latest.area_code,
        latest.crime_type,
        latest.period_end,
        latest.offences,
        latest.offences_with_outcome,
        case when latest.area_type <> 'force' then forces.offences - latest.offences end
            as rest_offences,
        case
            when latest.area_type <> 'force'
                then forces.offences_with_outcome - latest.offences_with_outcome
        end as rest_with_outcome
    from latest
    inner join latest as forces
        on latest.force_code = forces.area_code and latest.crime_type = forces.crime_type

),

proportions as (

    select
        area_code,
        crime_type,
        period_end,
        {{ proportion('rest_with_outcome', 'rest_offences') }} as rest_proportion,
        {{ difference(
            'offences_with_outcome', 'offences', 'rest_with_outcome', 'rest_offences'
        ) }} as difference,
        {{ proportion(
            '(offences_with_outcome + rest_with_outcome)', '(offences + rest_offences)'
        ) }} as pooled,
        1.0 / nullif(offences, 0) + 1.0 / nullif(rest_offences, 0) as variance_factor
    from with_rest

),

deviates as (

    select
        area_code,
        crime_type,
        period_end,
        rest_proportion,
        difference / nullif(sqrt(pooled * (1 - pooled) * variance_factor), 0) as deviate
    from proportions

),

tests as (

    select
        area_code,
        crime_type,
        deviate,
        {{ two_sided_p('deviate') }} as p
    from deviates
    where deviate is not null

),

placed as (

    select
        area_code,
        crime_type,
        deviate,
        p,
        row_number() over (partition by area_code order by p, crime_type) as position,
        count(*) over (partition by area_code) as series
    from tests

),

adjusted as (

    select
        area_code,
        crime_type,
        deviate,
        {{ adjusted_p('p', 'position', 'series', 'area_code') }} as adjusted_p
    from placed

)

select
    deviates.area_code,
    deviates.crime_type,
    deviates.period_end,
    100.0 * deviates.rest_proportion as rest_percent,
    adjusted.adjusted_p,
    {{ verdict('adjusted.deviate', 'adjusted.adjusted_p') }} as compared_with_rest
from deviates
left join adjusted
    on deviates.area_code = adjusted.area_code and deviates.crime_type = adjusted.crime_type
