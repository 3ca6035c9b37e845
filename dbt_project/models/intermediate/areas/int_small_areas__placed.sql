-- Each small area once, with its district, by the edition that comes first. One that is split over
-- several districts in every edition that serves it is left out: where it lies is not known.

select
    lsoa_code,
    district_code,
    district_vintage
from {{ ref('int_small_areas__editions') }}
where preference = 1 and is_single
