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

{#- Mean of a Poisson count at which the chance of `count` or fewer is `chance`, found by halving
    from the definition to the last digit; for counts and means up to 200. -#}
{% macro poisson_mean(count, chance) -%}
    (list_reduce(
        list_prepend(
            [1e-12::double, 200.0::double],
            list_transform(range(0, 120), lambda step: [0.0::double, 0.0::double])
        ),
        lambda between, step: case
            when list_sum(list_transform(
                range(0, ({{ count }})::bigint + 1),
                lambda number: exp(
                    number * ln((between[1] + between[2]) / 2)
                    - (between[1] + between[2]) / 2 - lgamma(number + 1.0)
                )
            )) > {{ chance }}
                then [(between[1] + between[2]) / 2, between[2]]
            else [between[1], (between[1] + between[2]) / 2]
        end
    )[1])
{%- endmacro %}

{#- Exact limits of a count, which leave `tail` on each side: 0.025 for 95 % and 0.001 for 99.8 %,
    the limits of control charts and funnels (Garwood 1936). The lower limit of none is nought. The
    seed poisson_exact_limits holds those of 95 % below ten, so that no model works them out. -#}
{% macro exact_lower(events, tail=0.025) -%}
    (case
        when {{ events }} = 0 then 0.0::double
        when {{ events }} > 0 then {{ poisson_mean(events ~ ' - 1', 1 - tail) }}
    end)
{%- endmacro %}

{% macro exact_upper(events, tail=0.025) -%}
    (case when {{ events }} >= 0 then {{ poisson_mean(events, tail) }} end)
{%- endmacro %}
