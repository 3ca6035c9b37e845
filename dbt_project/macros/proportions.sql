{#- Proportions and their 95 % confidence limits by Wilson's score method (Wilson 1927; Newcombe
    1998, method 3). Proportions are on the scale 0 to 1; null where either count is unknown or
    nobody was counted. -#}

{% macro proportion(part, whole) -%}
    ({{ part }}::double / nullif({{ whole }}, 0))
{%- endmacro %}

{% macro proportion_lower(part, whole) -%}
    ((2.0 * {{ part }} + power({{ var('confidence_z') }}, 2)
        - {{ var('confidence_z') }} * sqrt(
            power({{ var('confidence_z') }}, 2)
            + 4.0 * {{ part }} * (1 - {{ part }}::double / nullif({{ whole }}, 0))
        ))
    / (2.0 * (nullif({{ whole }}, 0) + power({{ var('confidence_z') }}, 2))))
{%- endmacro %}

{% macro proportion_upper(part, whole) -%}
    ((2.0 * {{ part }} + power({{ var('confidence_z') }}, 2)
        + {{ var('confidence_z') }} * sqrt(
            power({{ var('confidence_z') }}, 2)
            + 4.0 * {{ part }} * (1 - {{ part }}::double / nullif({{ whole }}, 0))
        ))
    / (2.0 * (nullif({{ whole }}, 0) + power({{ var('confidence_z') }}, 2))))
{%- endmacro %}
