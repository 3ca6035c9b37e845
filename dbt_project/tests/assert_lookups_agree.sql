-- Two lookups in force say the same of an area of the forces served for the same time. Only a
-- warning: the supplier knows which is right. Returns one message for each fault.
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'int_area_lookups__faults'}}}) }}

select fault as broken_rules
from {{ ref('int_area_lookups__faults') }}
