-- Areas of the newest Code History Database in force: each code with its names, days and parents.

with delivered as (

    select
        area_code,
        area_name,
        parent_code,
        first_day,
        last_day
    from {{ source('in_force', 'area_lookups') }}
    where kind = 'code_history'
    qualify dense_rank() over (
        order by delivery_quarter desc, delivery_version desc, _delivery_id desc
    ) = 1

)

select
    area_code,
    area_name,
    {{ gss_area_type('area_code') }} as area_type,
    parent_code,
    {{ gss_area_type('parent_code') }} as parent_type,
    first_day,
    last_day
from delivered
