-- Areas that figures are about.

select
    area_code,
    area_name,
    area_type,
    force_code,
    force_name,
    csp,
    csp_name,
    partnership_code
from {{ ref('int_crime_areas__listed') }}
order by print_order
