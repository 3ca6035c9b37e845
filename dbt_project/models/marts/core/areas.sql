-- Areas of the forces served, with the days on which each had its code and name.

select
    area_code,
    area_name,
    area_type,
    first_day,
    last_day,
    first_day_from,
    last_day_from
from {{ ref('int_areas__dated') }}
order by area_type, area_code, first_day
