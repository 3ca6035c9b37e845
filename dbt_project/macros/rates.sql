{#- Rates per 1,000 population and their 95 % confidence limits.

    Limits of a count: Byar's approximation to the Poisson interval, and the exact interval below
    ten events (Breslow and Day 1987; the Public Health England technical guide "Confidence
    intervals", 2018). Divided by the population they are the limits of the rate. -#}

{#- Lower Byar limit of a count of at least one. -#}
{% macro byars_lower(events) -%}
    ({{ events }} * power(
        1 - 1 / (9.0 * nullif({{ events }}, 0))
        - {{ var('confidence_z') }} / (3 * sqrt(nullif({{ events }}, 0))),
        3
    ))
{%- endmacro %}

{#- Upper Byar limit of a count. -#}
{% macro byars_upper(events) -%}
    (({{ events }} + 1) * power(
        1 - 1 / (9.0 * ({{ events }} + 1))
        + {{ var('confidence_z') }} / (3 * sqrt({{ events }} + 1)),
        3
    ))
{%- endmacro %}

{#- Rate per 1,000: null where either side is unknown or nobody lives there. -#}
{% macro rate_per_1000(events, population) -%}
    (1000.0 * {{ events }} / nullif({{ population }}, 0))::double
{%- endmacro %}

{#- Limits of the rate. `exact` is the alias of poisson_exact_limits, left joined on the count, so
    that its columns are null from ten events on (and for a fractional count). -#}
{% macro rate_lower(events, population, exact) -%}
    {{ rate_per_1000('coalesce(' ~ exact ~ '.lower, ' ~ byars_lower(events) ~ ')', population) }}
{%- endmacro %}

{% macro rate_upper(events, population, exact) -%}
    {{ rate_per_1000('coalesce(' ~ exact ~ '.upper, ' ~ byars_upper(events) ~ ')', population) }}
{%- endmacro %}
