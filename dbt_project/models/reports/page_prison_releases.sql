-- People released from prison in a year, by where they went, and how many had no accommodation.

select
    period_key,
    prison,
    area_code,
    area_name,
    area_type,
    csp,
    period_type,
    period_start,
    period_end,
    period_label,
    no_accommodation,
    released,
    proportion,
    proportion_lower,
    proportion_upper,
    unit,
    status,
    deliveries
from {{ ref('prison_release_accommodation') }}
