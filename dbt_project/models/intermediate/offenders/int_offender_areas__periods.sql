-- Every area of every financial year that can be counted, so that an area without offenders shows
-- zero, and is not missing.

select
    years.period_start,
    years.period_end,
    years.period_label,
    years.delivery,
    areas.area_code,
    areas.area_name,
    areas.area_type,
    areas.csp,
    areas.print_order
from {{ ref('int_charge_years__complete') }} as years
inner join {{ ref('int_areas__listed') }} as areas on years.force_code = areas.force_code
