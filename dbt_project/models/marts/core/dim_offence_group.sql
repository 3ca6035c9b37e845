-- Groups of the main offence of people under supervision, and all of them.

with groups as (

    select
        category as offence_group,
        category_order as offence_group_order,
        is_known,
        false as is_sum
    from {{ ref('probation_categories') }}
    where dimension = 'Offence category'
    union all
    select
        'All' as offence_group,
        0 as offence_group_order,
        true as is_known,
        true as is_sum

)

select
    offence_group,
    offence_group_order::integer as offence_group_order,
    is_known,
    is_sum
from groups
order by offence_group_order
