-- Known offenders by area of residence and calendar year, of the deliveries in force.

with counts as (

    select *
    from {{ source('raw', 'police_offender_counts') }}

),

years_in_force as (

    select
        delivered_series,
        served_name,
        period,
        delivery_id,
        delivery
    from {{ source('control', 'in_force') }}
    where source = 'police_offender_counts'

)

select
    years_in_force.served_name as force_name,
    counts.area_code,
    year(counts.calendar_year)::integer as calendar_year,
    counts.offenders,
    years_in_force.delivery
from counts
inner join years_in_force
    on
        counts._delivery_id = years_in_force.delivery_id
        and counts.calendar_year = years_in_force.period
        and counts.force = years_in_force.delivered_series
