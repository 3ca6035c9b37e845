-- The areas that probation figures are about: those of every other figure, and one remainder a
-- force for people of whom no address is held.

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
    force_code || ':unstated' as area_code,
    'Residence not stated' as area_name,
    'unstated' as area_type,
    force_code,
    force_name,
    null as csp,
    (print_order + 100000)::integer as print_order
from areas
where area_type = 'force'
