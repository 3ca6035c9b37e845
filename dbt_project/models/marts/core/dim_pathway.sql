-- Pathways of the assessment of needs, and the row of all assessments, with which tables 3 and 6
-- begin.

with pathways as (

    select
        title as pathway,
        pathway as pathway_slug,
        section,
        table_order as pathway_order,
        true as is_need
    from {{ ref('oasys_pathways') }}
    union all
    select
        '{{ assessments_row() }}' as pathway,
        'assessments' as pathway_slug,
        null as section,
        0 as pathway_order,
        false as is_need

)

select
    pathway,
    pathway_slug,
    section,
    pathway_order::integer as pathway_order,
    is_need
from pathways
order by pathway_order
