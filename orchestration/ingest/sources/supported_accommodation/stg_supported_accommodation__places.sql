-- Supported accommodation that councils list, of the lists in force.

select
    snapshot_date,
    district_code,
    scheme,
    provider,
    town,
    client_group,
    kind,
    places,
    delivery
from {{ source('in_force', 'supported_accommodation') }}
