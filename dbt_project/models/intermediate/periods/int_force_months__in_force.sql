-- The months for which each force served has a street delivery in force. Elsewhere a count is
-- unknown, not zero.

with forces as (

    select distinct
        force_code,
        force_name
    from {{ source('control', 'partnership_areas') }}

),

months_in_force as (

    select
        in_force.series as force_name,
        in_force.period as month,
        in_force.delivery
    from {{ source('control', 'in_force') }} as in_force
    cross join {{ source('control', 'refresh') }} as refresh
    where
        in_force.source = 'police_uk_street'
        and in_force.period <= refresh.quarter_end

)

select
    forces.force_code,
    forces.force_name,
    months_in_force.month,
    string_agg(distinct months_in_force.delivery, '; ' order by months_in_force.delivery)
        as delivery
from months_in_force
inner join forces on months_in_force.force_name = forces.force_name
group by forces.force_code, forces.force_name, months_in_force.month
