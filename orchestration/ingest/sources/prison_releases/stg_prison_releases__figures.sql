-- Figures of prisons on accommodation, of the returns in force.

select
    statement,
    served_name as prison,
    period_start,
    period_end,
    sex,
    area_code,
    area_name,
    measure,
    people,
    delivery
from {{ source('in_force', 'prison_releases') }}
