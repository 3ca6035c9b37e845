-- Which area lay in which, and when, at every level of the hierarchy.

select
    area_code,
    area_type,
    parent_code,
    parent_type,
    first_day,
    last_day,
    evidence,
    edition
from {{ ref('int_area_parents__dated') }}
order by area_type, area_code, parent_type, first_day
