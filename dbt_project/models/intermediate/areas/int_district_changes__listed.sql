-- Districts that were recoded or merged, each with the one district that holds all of it since. By
-- the Code History Database in force; for codes that it does not end, by the list of changes; for
-- those in neither, by the lookups of two editions. A code that changes twice is a row a step.

with coded as (

    select distinct
        predecessor_code,
        predecessor_name,
        successor_code,
        successor_name,
        changed_on
    from {{ ref('stg_area_lookups__code_changes') }}
    where
        area_type = 'district'
        and predecessor_code <> successor_code

),

-- Of several successors, after a boundary change, the one of the same name holds the district.
chosen as (

    select
        predecessor_code,
        predecessor_name,
        successor_code,
        successor_name,
        changed_on,
        count(distinct successor_code) over same_change as successors,
        {{ comparable_name('predecessor_name') }}
        = {{ comparable_name('successor_name') }} as is_same_name
    from coded
    window same_change as (partition by predecessor_code, changed_on)

),

by_history as (

    select
        predecessor_code,
        predecessor_name,
        successor_code,
        successor_name,
        changed_on,
        'code history' as evidence
    from chosen
    where successors = 1 or coalesce(is_same_name, false)
    qualify row_number() over (
        partition by predecessor_code
        order by changed_on desc, successor_code asc
    ) = 1

),

by_list as (

    select
        predecessor_code,
        predecessor_name,
        successor_code,
        successor_name,
        changed_on,
        'list of changes' as evidence
    from {{ ref('district_changes') }}
    where predecessor_code not in (select coded.predecessor_code from coded)

),

by_editions as (

    select
        ended.district_code as predecessor_code,
        before.district_name as predecessor_name,
        ended.successor_code,
        since.district_name as successor_name,
        null::date as changed_on,
        'editions of lookups' as evidence
    from {{ ref('int_districts__ended') }} as ended
    left join {{ ref('int_districts__known') }} as before
        on ended.district_code = before.district_code
    left join {{ ref('int_districts__known') }} as since
        on ended.successor_code = since.district_code
    where
        ended.successor_code is not null
        and ended.district_code not in (select coded.predecessor_code from coded)
        and ended.district_code not in (select by_list.predecessor_code from by_list)

)

select
    predecessor_code,
    predecessor_name,
    successor_code,
    successor_name,
    changed_on,
    evidence
from by_history
union all
select
    predecessor_code,
    predecessor_name,
    successor_code,
    successor_name,
    changed_on,
    evidence
from by_list
union all
select
    predecessor_code,
    predecessor_name,
    successor_code,
    successor_name,
    changed_on,
    evidence
from by_editions
