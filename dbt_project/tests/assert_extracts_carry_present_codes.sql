-- An extract that is about a time after a district was recoded or merged carries its present code.
-- Only a warning: its rows are counted in the successor. Returns one message for each delivery.
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'int_recoded_rows__counted'}}}) }}

select
    delivery
    || ' still carries codes of districts that were recoded or merged: '
    || string_agg(
        format(
            '{:,} rows of {} ({}), counted in {} ({})',
            coded_rows, district_name, district_code, area_name, area_code
        ),
        '; '
        order by district_code
    )
    || '. Ask the supplier for the present codes' as broken_rules
from {{ ref('int_recoded_rows__counted') }}
where is_outdated
group by delivery
