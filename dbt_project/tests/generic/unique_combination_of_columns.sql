{#- The columns together are the key: no combination occurs twice. Returns those that do. It has the
    name and arguments of dbt_utils' test, whose package dbt would have to download. -#}
{% test unique_combination_of_columns(model, combination_of_columns) %}
select
    {{ combination_of_columns | join(', ') }},
    count(*) as rows_found
from {{ model }}
group by {{ combination_of_columns | join(', ') }}
having count(*) > 1
{% endtest %}
