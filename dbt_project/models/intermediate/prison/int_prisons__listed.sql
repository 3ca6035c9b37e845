-- Prisons and the force area that each is counted in, of the partnerships file. Forces served only.

select
    prisons.prison,
    prisons.prison_group,
    prisons.force_code
from {{ source('control', 'partnership_prisons') }} as prisons
inner join {{ ref('int_areas__listed') }} as areas
    on
        prisons.force_code = areas.area_code
        and areas.area_type = 'force'
