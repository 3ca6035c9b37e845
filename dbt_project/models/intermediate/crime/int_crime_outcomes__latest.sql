-- The latest outcome of each crime that the outcomes files in force name. A crime has a row for
-- each outcome and suspect; of two in one month the first in the order of groups counts.

with outcomes as (

    select
        outcomes.crime_id,
        outcomes.outcome_month,
        outcomes.outcome_type,
        outcomes.delivery_quarter,
        coalesce(groups.outcome_group_order, 8) as outcome_group_order
    from {{ ref('stg_police_uk_outcomes__outcomes') }} as outcomes
    left join {{ ref('outcome_types') }} as types on outcomes.outcome_type = types.outcome_type
    left join {{ ref('outcome_groups') }} as groups on types.outcome_group = groups.outcome_group

)

select
    crime_id,
    arg_max(
        outcome_type,
        (outcome_month, -outcome_group_order, outcome_type)
    ) as outcome_type,
    max(outcome_month) as outcome_month,
    max(delivery_quarter) as delivery_quarter
from outcomes
group by crime_id
