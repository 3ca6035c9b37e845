-- Financial years of which every month's charges are in force, by force. A year with a month
-- missing has no offenders to count: who was charged in that month only is not known.

with months_in_force as (

    select
        series as force_name,
        -- The year's first day: 1 April.
        (date_trunc('year', period - interval 3 month) + interval 3 month)::date as period_start,
        period as month,
        delivery
    from {{ source('control', 'in_force') }}
    where source = 'police_charges'

),

forces as (

    select
        force_name,
        force_code
    from {{ ref('int_areas__listed') }}
    where area_type = 'force'

)

select
    forces.force_code,
    forces.force_name,
    months_in_force.period_start,
    (months_in_force.period_start + interval 1 year - interval 1 day)::date as period_end,
    {{ financial_year_label('months_in_force.period_start') }} as period_label,
    {{ all_deliveries('months_in_force.delivery') }}
        as delivery
from months_in_force
inner join forces on months_in_force.force_name = forces.force_name
group by forces.force_code, forces.force_name, months_in_force.period_start
having count(distinct months_in_force.month) = 12
