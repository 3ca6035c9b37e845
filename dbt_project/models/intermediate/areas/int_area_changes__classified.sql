-- Changes of code and of name of the areas of the forces served, each with its kind: an area that
-- continues alone under another code is a recode, with others a merger; parts that go to another
-- area are a boundary change where the area continues under its name, and else a split.

with served as (

    select
        area_type,
        area_code
    from {{ ref('int_areas__served') }}

),

coded as (

    select distinct
        area_type,
        predecessor_code,
        predecessor_name,
        successor_code,
        successor_name,
        changed_on,
        'code history' as evidence
    from {{ ref('stg_area_lookups__code_changes') }}
    where area_type <> 'middle area'

),

-- A code that has another name from one day on.
renamed as (

    select
        area_type,
        area_code,
        lag(area_name) over by_day as earlier_name,
        area_name,
        first_day,
        first_day_from
    from {{ ref('int_areas__dated') }}
    window by_day as (partition by area_type, area_code order by first_day)

),

changes as (

    select
        area_type,
        predecessor_code,
        predecessor_name,
        successor_code,
        successor_name,
        changed_on,
        evidence
    from coded
    where
        predecessor_code <> successor_code
        or {{ comparable_name('predecessor_name') }} <> {{ comparable_name('successor_name') }}
    union
    select
        area_type,
        area_code as predecessor_code,
        earlier_name as predecessor_name,
        area_code as successor_code,
        area_name as successor_name,
        first_day as changed_on,
        first_day_from as evidence
    from renamed
    where earlier_name is not null
    union
    select
        'district' as area_type,
        predecessor_code,
        predecessor_name,
        successor_code,
        successor_name,
        changed_on,
        evidence
    from {{ ref('int_district_changes__listed') }}
    where evidence <> 'code history'
    union
    select
        'small area' as area_type,
        between_years.predecessor_code,
        before.area_name as predecessor_name,
        between_years.successor_code,
        since.area_name as successor_name,
        date '2021-01-01' as changed_on,
        'editions of lookups' as evidence
    from {{ ref('stg_area_lookups__small_area_changes') }} as between_years
    left join {{ ref('int_areas__named') }} as before
        on
            between_years.predecessor_code = before.area_code
            and before.edition = date '2011-01-01'
    left join {{ ref('int_areas__named') }} as since
        on
            between_years.successor_code = since.area_code
            and since.edition = date '2021-01-01'
    where
        between_years.predecessor_code <> between_years.successor_code
        and between_years.predecessor_code not in (select coded.predecessor_code from coded)

),

compared as (

    select
        area_type,
        predecessor_code,
        predecessor_name,
        successor_code,
        successor_name,
        changed_on,
        evidence,
        {{ comparable_name('predecessor_name') }}
        = {{ comparable_name('successor_name') }} as is_same_name,
        count(*) over (partition by predecessor_code, changed_on) as successors
    from changes

),

counted as (

    select
        area_type,
        predecessor_code,
        predecessor_name,
        successor_code,
        successor_name,
        changed_on,
        evidence,
        successors,
        -- Whether the area continues under its name in one of its successors.
        bool_or(coalesce(is_same_name, false)) over (
            partition by predecessor_code, changed_on
        ) as keeps_its_name,
        count(*) filter (where successors = 1) over (
            partition by successor_code, changed_on
        ) as whole_predecessors,
        count(*) over (partition by successor_code, changed_on) as predecessors
    from compared

)

select
    area_type,
    predecessor_code,
    max(predecessor_name) as predecessor_name,
    successor_code,
    max(successor_name) as successor_name,
    changed_on,
    max(
        case
            when predecessor_code = successor_code then 'rename'
            when successors > 1 and keeps_its_name then 'boundary change'
            when successors > 1 then 'split'
            when whole_predecessors > 1 then 'merger'
            when predecessors > 1 then 'boundary change'
            else 'recode'
        end
    ) as change_type,
    max(evidence) as evidence
from counted
where
    exists (
        select 1
        from served
        where
            counted.area_type = served.area_type
            and served.area_code in (counted.predecessor_code, counted.successor_code)
    )
group by area_type, predecessor_code, successor_code, changed_on
