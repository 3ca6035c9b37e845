-- A reference of a force that has two PNC identifiers is counted as two people. A warning with
-- their number and no identifier: only the force can say who the two people are.
{{ config(
    severity='warn',
    meta={'dagster': {'ref': {'name': 'stg_police_charges__charges'}}}
) }}

with references_of_two as (

    select
        charges.served_name as force,
        charges.nominal_ref
    from {{ source('in_force', 'police_charges') }} as charges
    where
        charges.served_name in (
            select counted.force_name from {{ ref('stg_police_charges__charges') }} as counted
        )
    group by charges.served_name, charges.nominal_ref
    having count(distinct charges.pnc_id) > 1

)

select
    force || ': ' || count(*)
    || case when count(*) = 1 then ' reference has' else ' references have' end
    || ' more than one PNC identifier. Each identifier is counted as a person; ask the force which '
    || 'is right' as broken_rules
from references_of_two
group by force
