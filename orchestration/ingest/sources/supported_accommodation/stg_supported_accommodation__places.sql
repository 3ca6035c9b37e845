-- Supported accommodation that councils list, of the lists in force.

with places as (

    select *
    from {{ source('raw', 'supported_accommodation') }}

),

deliveries_in_force as (

    select
        delivered_series,
        period,
        delivery_id,
        delivery
    from {{ source('control', 'in_force') }}
    where source = 'supported_accommodation'

)

select
    places.snapshot_date,
    places.district_code,
    places.scheme,
    places.provider,
    places.town,
    places.client_group,
    places.kind,
    places.places,
    deliveries_in_force.delivery
from places
inner join deliveries_in_force
    on
        places.district_code = deliveries_in_force.delivered_series
        and places.snapshot_date = deliveries_in_force.period
        and places._delivery_id = deliveries_in_force.delivery_id
