{#- Differences between two independent groups, with their 95 % confidence limits.

    Two groups differ where the interval of the difference excludes zero. Whether their own
    intervals overlap does not decide it: that finds too few differences. -#}

{#- Difference of two proportions, first minus second, on the scale -1 to 1. -#}
{% macro difference(part_1, whole_1, part_2, whole_2) -%}
    ({{ proportion(part_1, whole_1) }} - {{ proportion(part_2, whole_2) }})
{%- endmacro %}

{#- Limits of the difference: Newcombe's hybrid score interval, which squares and adds the distances
    of the two Wilson limits (Newcombe 1998, Statistics in Medicine 17: 873-890, method 10). -#}
{% macro difference_lower(part_1, whole_1, part_2, whole_2) -%}
    ({{ difference(part_1, whole_1, part_2, whole_2) }} - sqrt(
        power({{ proportion(part_1, whole_1) }} - {{ proportion_lower(part_1, whole_1) }}, 2)
        + power({{ proportion_upper(part_2, whole_2) }} - {{ proportion(part_2, whole_2) }}, 2)
    ))
{%- endmacro %}

{% macro difference_upper(part_1, whole_1, part_2, whole_2) -%}
    ({{ difference(part_1, whole_1, part_2, whole_2) }} + sqrt(
        power({{ proportion_upper(part_1, whole_1) }} - {{ proportion(part_1, whole_1) }}, 2)
        + power({{ proportion(part_2, whole_2) }} - {{ proportion_lower(part_2, whole_2) }}, 2)
    ))
{%- endmacro %}

{#- 'higher' or 'lower' where the limits leave out "no difference", else 'similar'; null where the
    limits are. `no_difference` is 0 for a difference and 1 for a ratio. -#}
{% macro comparison(lower, upper, no_difference=0) -%}
    case
        when {{ lower }} > {{ no_difference }} then 'higher'
        when {{ upper }} < {{ no_difference }} then 'lower'
        when {{ lower }} is not null and {{ upper }} is not null then 'similar'
    end
{%- endmacro %}
