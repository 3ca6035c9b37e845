{#- '1' to '7', then '8 or more'. -#}
{% macro offences_band(offences) -%}
    case
        when {{ offences }} >= {{ var('offences_band_from') }}
            then '{{ var('offences_band_from') }} or more'
        else {{ offences }}::varchar
    end
{%- endmacro %}

{#- Share in percent, 0 to 100; null where either count is unknown or nobody was counted. -#}
{% macro percent(part, whole) -%}
    (100 * {{ proportion(part, whole) }})
{%- endmacro %}

{#- Its 95 % limits by Wilson's method, null where the share is. The limits of none and of all are
    exactly 0 and 100, which the arithmetic misses by a rounding error. -#}
{% macro percent_lower(part, whole) -%}
    case
        when {{ part }} is not null and {{ whole }} > 0
            then 100 * greatest({{ proportion_lower(part, whole) }}, 0)
    end
{%- endmacro %}

{% macro percent_upper(part, whole) -%}
    case
        when {{ part }} is not null and {{ whole }} > 0
            then 100 * least({{ proportion_upper(part, whole) }}, 1)
    end
{%- endmacro %}
