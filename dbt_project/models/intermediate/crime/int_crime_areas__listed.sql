-- The areas of recorded crime: those of every figure and, for a force of which some rows can be
-- placed in no district, a remainder for those.

with areas as (

    select
        area_code,
        area_name,
        area_type,
        force_code,
        force_name,
        csp,
        csp_name,
        partnership_code,
        last_day,
        print_order
    from {{ ref('int_areas__listed') }}

)

select
    area_code,
    area_name,
    area_type,
    force_code,
    force_name,
    csp,
    csp_name,
    partnership_code,
    last_day,
    print_order
from areas
union all
select
    force_code || ':unplaced' as area_code,
    'District not known' as area_name,
    'unplaced' as area_type,
    force_code,
    force_name,
    null as csp,
    null as csp_name,
    null as partnership_code,
    null as last_day,
    (
        (select max(others.print_order) from areas as others)
        + row_number() over (order by force_code)
    )::integer as print_order
from areas
where
    area_type = 'force'
    and force_code in (
        select doubted.force_code from {{ ref('int_crime_districts__doubted') }} as doubted
        union all
        select ceased.force_code
        from areas as ceased
        where ceased.last_day is not null
    )
