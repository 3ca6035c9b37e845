-- Recorded crime can be placed in every district served, and rated for every force. Only a warning:
-- the figures that are not known are [x]. Returns one message for each fault.
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'int_crime_places__faults'}}}) }}

select fault as broken_rules
from {{ ref('int_crime_places__faults') }}
