-- Each district that was recoded or merged with every district that it is part of since, one change
-- after another.

with recursive changes as (

    select
        predecessor_code,
        predecessor_name,
        successor_code,
        successor_name,
        changed_on,
        evidence = 'editions of lookups' as is_inferred
    from {{ ref('int_district_changes__listed') }}

),

-- No chain is longer than ten.
chained as (

    select
        predecessor_code as district_code,
        predecessor_name as district_name,
        successor_code,
        successor_name,
        changed_on,
        is_inferred,
        1 as steps
    from changes
    union
    select
        chained.district_code,
        chained.district_name,
        changes.successor_code,
        changes.successor_name,
        changes.changed_on,
        chained.is_inferred or changes.is_inferred as is_inferred,
        chained.steps + 1 as steps
    from chained
    inner join changes on chained.successor_code = changes.predecessor_code
    where chained.steps < 10

)

select
    district_code,
    district_name,
    successor_code,
    successor_name,
    changed_on,
    is_inferred,
    steps::integer as steps
from chained
-- Should two lists contradict each other.
where district_code <> successor_code
qualify row_number() over (
    partition by district_code, successor_code
    order by steps, is_inferred, changed_on
) = 1
