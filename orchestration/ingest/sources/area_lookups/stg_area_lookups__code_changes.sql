-- Codes and the codes that followed them, of the newest Code History Database in force. A row whose
-- two codes are the same is a change of name.

with delivered as (

    select
        part_code,
        part_name,
        area_code,
        area_name,
        first_day
    from {{ source('in_force', 'area_lookups') }}
    where kind = 'code_change'
    qualify dense_rank() over (
        order by delivery_quarter desc, delivery_version desc, _delivery_id desc
    ) = 1

)

select
    part_code as predecessor_code,
    part_name as predecessor_name,
    area_code as successor_code,
    area_name as successor_name,
    {{ gss_area_type('area_code') }} as area_type,
    first_day as changed_on
from delivered
where {{ gss_area_type('area_code') }} = {{ gss_area_type('part_code') }}
