-- The boundary of each small area: of the newest geography, as the latest delivery in force gives
-- it.

select
    area_code as small_area_code,
    vintage,
    boundary
from {{ source('in_force', 'area_lookups') }}
where kind in ('lsoa_2011', 'lsoa_2021') and boundary is not null
qualify row_number() over (
    partition by area_code
    order by vintage desc, delivery_quarter desc, delivery_version desc, _line desc
) = 1
