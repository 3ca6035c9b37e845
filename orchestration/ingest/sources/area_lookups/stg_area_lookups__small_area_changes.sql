-- Small areas of 2011 and what became of each in 2021, by the lookups in force between the two.

select distinct
    area_code as predecessor_code,
    part_code as successor_code
from {{ source('in_force', 'area_lookups') }}
where kind = 'lsoa_2011' and part_code like '_01%'
