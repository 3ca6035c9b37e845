-- Every area that a figure is about, or that lies in one or holds one.

select
    area_code,
    area_name,
    area_type,
    force_code,
    force_name,
    csp,
    csp_name,
    partnership_code,
    area_label,
    area_order,
    parent_area_code,
    parent_area_code is not null as is_counted_in_parent,
    is_part_of_force,
    first_day,
    last_day
from {{ ref('int_areas__conformed') }}
order by area_order
