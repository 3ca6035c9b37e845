-- The partnerships file names no district together with what became part of it, which would count
-- the same people under either. Returns one message.
{{ config(meta={'dagster': {'ref': {'name': 'int_partnerships__faults'}}}) }}

select fault as broken_rules
from {{ ref('int_partnerships__faults') }}
where rule = 'both_named'
