-- Youth offending services and the districts that each serves, of the partnerships file. Served
-- districts only; the file may name one by the code that it had before.

select distinct
    services.youth_offending_service,
    served.area_code as district_code,
    served.force_code
from {{ source('control', 'partnership_youth_services') }} as services
inner join {{ ref('int_district_codes__served') }} as served
    on services.district_code = served.district_code
