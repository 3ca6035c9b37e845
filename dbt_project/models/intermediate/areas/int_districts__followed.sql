-- Each district with itself and every district that holds all of it later, step by step.

with codes as (

    select district_code
    from {{ ref('int_districts__known') }}
    union
    select predecessor_code as district_code
    from {{ ref('int_district_changes__listed') }}
    union
    select successor_code as district_code
    from {{ ref('int_district_changes__listed') }}
    union
    select area_code as district_code
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'

)

select
    district_code,
    district_code as later_code,
    0 as steps
from codes
union all
select
    district_code,
    successor_code as later_code,
    steps
from {{ ref('int_district_changes__chained') }}
