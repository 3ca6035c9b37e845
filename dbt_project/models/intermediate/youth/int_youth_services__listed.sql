-- Youth offending services and the districts that each serves: those of the partnerships file, and
-- of the reference list where the file names neither the service nor the district. Served
-- districts only.

with configured as (

    select
        youth_offending_service,
        district_code
    from {{ source('control', 'partnership_youth_services') }}

),

services as (

    select
        youth_offending_service,
        district_code
    from configured
    union all
    select
        youth_offending_service,
        district_code
    from {{ ref('youth_offending_services') }}
    where
        youth_offending_service not in (
            select configured.youth_offending_service from configured
        )
        and district_code not in (select configured.district_code from configured)

)

select
    services.youth_offending_service,
    services.district_code,
    areas.force_code
from services
inner join {{ ref('int_areas__listed') }} as areas
    on
        services.district_code = areas.area_code
        and areas.area_type = 'district'
