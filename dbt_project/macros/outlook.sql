{#- Fewest months of a series with an outlook: what the first forecast of the back-test is made from,
    twelve months to compare it with, and the steps to the last of the forecasts. -#}
{% macro outlook_min_months() -%}
    {{ var('seasonal_min_months') + 12 + (var('outlook_min_origins') - 1) * var('outlook_origin_step') }}
{%- endmacro %}
