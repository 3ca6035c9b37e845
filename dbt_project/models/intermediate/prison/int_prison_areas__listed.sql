-- The areas that prison releases are about: those of every other figure, and one a force for
-- everybody released, wherever they went.

with areas as (

    select
        area_code,
        area_name,
        area_type,
        force_code,
        force_name,
        csp,
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
    print_order
from areas
union all
select
    area_code || ':all' as area_code,
    'All areas of release' as area_name,
    'all' as area_type,
    force_code,
    force_name,
    null as csp,
    -- After everything else that is listed.
    (print_order + 1000)::integer as print_order
from areas
where area_type = 'force'
