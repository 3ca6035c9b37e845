-- The lookups in force know the districts of the partnerships file as the file names them. Only a
-- warning: a new district may be in no list yet. Returns one message for each fault.
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'int_partnerships__faults'}}}) }}

select fault as broken_rules
from {{ ref('int_partnerships__faults') }}
where rule <> 'both_named'
