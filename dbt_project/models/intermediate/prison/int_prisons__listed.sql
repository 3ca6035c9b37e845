-- Prisons and the force area that each is counted in: those of the partnerships file, and of the
-- reference list where the file does not name them. Forces served only.

with configured as (

    select
        prison,
        prison_group,
        force_code
    from {{ source('control', 'partnership_prisons') }}

),

prisons as (

    select
        prison,
        prison_group,
        force_code
    from configured
    union all
    select
        prison,
        prison_group,
        force_code
    from {{ ref('prisons') }}
    where prison not in (select configured.prison from configured)

)

select
    prisons.prison,
    prisons.prison_group,
    prisons.force_code
from prisons
inner join {{ ref('int_areas__listed') }} as areas
    on
        prisons.force_code = areas.area_code
        and areas.area_type = 'force'
