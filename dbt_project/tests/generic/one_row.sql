{#- The table holds exactly one row. Returns its size where it does not. -#}
{% test one_row(model) %}
select count(*) as rows_found
from {{ model }}
having count(*) <> 1
{% endtest %}
