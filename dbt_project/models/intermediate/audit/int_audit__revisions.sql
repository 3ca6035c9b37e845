-- What has been revised since the printed assessment was checked, by source: deliveries in force
-- that it was not checked with, deliveries that are gone, and reviewed corrections. It is the
-- cause of a difference from the print; a source without a row has no revision to explain one.

with in_force as (

    select distinct
        in_force.source,
        in_force.quarter,
        in_force.delivery,
        deliveries.content_sha256
    from {{ source('control', 'in_force') }} as in_force
    inner join {{ source('control', 'deliveries') }} as deliveries
        on in_force.delivery_id = deliveries.delivery_id

),

checked as (

    select
        source,
        quarter,
        content_sha256
    from {{ ref('audit_deliveries') }}

),

causes as (

    select
        in_force.source,
        in_force.quarter,
        in_force.delivery || case
            when checked.quarter is null then ' is in force, and was not when the print was checked'
            else ' is in force in place of the delivery that the print was checked with'
        end as cause
    from in_force
    left join checked
        on in_force.source = checked.source and in_force.quarter = checked.quarter
    where in_force.content_sha256 is distinct from checked.content_sha256
    union all
    select
        checked.source,
        checked.quarter,
        checked.source || ' ' || checked.quarter
        || ' is not in force, and was when the print was checked' as cause
    from checked
    anti join in_force
        on checked.source = in_force.source and checked.quarter = in_force.quarter
    union all
    select
        source,
        null as quarter,
        'correction ' || correction || ' of the reviewed file is applied to ' || source as cause
    from {{ source('control', 'corrections_applied') }}
    where state = 'applied'

)

select
    source,
    string_agg(cause, '; ' order by quarter, cause) as cause
from causes
group by source
