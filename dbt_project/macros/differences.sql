{#- Differences and ratios between two independent groups, with their 95 % confidence limits.

    Whether two groups differ is judged by the interval of the difference (or of the ratio), never
    by whether their own intervals overlap, which finds too little. -#}

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

{#- Ratio of two rates, first over second; null where either is unknown or the second is nought. -#}
{% macro rate_ratio(events_1, population_1, events_2, population_2) -%}
    (({{ events_1 }}::double / nullif({{ population_1 }}, 0))
    / nullif({{ events_2 }}::double / nullif({{ population_2 }}, 0), 0))
{%- endmacro %}

{#- Limits of the ratio by the normal approximation to its logarithm, whose variance is the sum of
    the reciprocals of the two counts (Breslow and Day 1987). Null where either count is nought. -#}
{% macro rate_ratio_lower(events_1, population_1, events_2, population_2) -%}
    ({{ rate_ratio(events_1, population_1, events_2, population_2) }}
    * exp(-{{ var('confidence_z') }}
        * sqrt(1.0 / nullif({{ events_1 }}, 0) + 1.0 / nullif({{ events_2 }}, 0))))
{%- endmacro %}

{% macro rate_ratio_upper(events_1, population_1, events_2, population_2) -%}
    ({{ rate_ratio(events_1, population_1, events_2, population_2) }}
    * exp({{ var('confidence_z') }}
        * sqrt(1.0 / nullif({{ events_1 }}, 0) + 1.0 / nullif({{ events_2 }}, 0))))
{%- endmacro %}

{#- p-value of the hypothesis that the two rates are equal: two-sided exact binomial test of the
    first count, given the sum of both. Null where either side is unknown or no event happened. -#}
{% macro rate_ratio_p(events_1, population_1, events_2, population_2) -%}
    {%- set share -%}
        ({{ population_1 }}::double / nullif({{ population_1 }} + {{ population_2 }}, 0))
    {%- endset -%}
    {%- set log_chance -%}
        lgamma({{ events_1 }} + {{ events_2 }} + 1.0)
        - lgamma(%s + 1.0) - lgamma({{ events_1 }} + {{ events_2 }} - %s + 1.0)
        + %s * ln({{ share }}) + ({{ events_1 }} + {{ events_2 }} - %s) * ln(1 - {{ share }})
    {%- endset -%}
    {%- set observed = log_chance.replace('%s', '(' ~ events_1 ~ ')') -%}
    {%- set possible = log_chance.replace('%s', 'number') -%}
    {#- Chances equal but for rounding count as equally unlikely. -#}
    (case when {{ events_1 }} + {{ events_2 }} > 0 then least(1.0, list_sum(list_transform(
        range(0, ({{ events_1 }} + {{ events_2 }} + 1)::bigint),
        lambda number: case when {{ possible }} <= {{ observed }} + 1e-7
            then exp({{ possible }}) else 0 end
    ))) end)
{%- endmacro %}
