{#- A count, stock, rate or population is never below nought. Returns the values that are. -#}
{% test not_negative(model, column_name) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} < 0
{% endtest %}
