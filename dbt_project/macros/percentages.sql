{#- Percentage of a part, rounded half up as the assessment prints it; null where the whole is zero
    or unknown. The division comes last, so that a share that ends in a five is not just below it. -#}
{% macro rounded_percent(part, whole, digits=0) -%}
    round(100.0 * {{ part }} / nullif({{ whole }}, 0), {{ digits }})
{%- endmacro %}
