-- Which area followed which, when, and what kind of change it was.

select
    predecessor_code,
    predecessor_name,
    successor_code,
    successor_name,
    area_type,
    changed_on,
    change_type,
    evidence
from {{ ref('int_area_changes__classified') }}
order by area_type, predecessor_code, changed_on, successor_code
