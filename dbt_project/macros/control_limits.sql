{#- Whether control limits start anew at a point: the Stable Shift Algorithm (BMJ Quality & Safety,
    2025, "Re-establishing control limits in statistical process control analyses: the stable shift
    algorithm"), with its two parameters in the project's variables.

    `counts` is the list of an unbroken stretch, `since` the position at which the limits in use
    start and `place` the position that is judged, both from 1. The baseline is the mean of the
    first points from `since` on, as many as limits take; `place` lies after it. The limits start
    anew at `place` where

    - a run begins there: so many successive points on one side of the baseline mean;
    - enough points follow from there for limits of their own, the candidate;
    - nothing goes back: no run on the other side of the candidate's mean begins among the
      candidate's points, nor one that the points to come could still complete. -#}
{% macro is_sustained_shift(counts, since, place) -%}
    {%- set points = var('xmr_restart_points') -%}
    {%- set run = var('xmr_restart_run_length') -%}
    {%- set candidate = counts ~ '[' ~ place ~ ':' ~ place ~ ' + ' ~ (points - 1) ~ ']' -%}
    {%- set baseline -%}
        list_avg({{ counts }}[{{ since }}:{{ since }} + {{ points - 1 }}])
    {%- endset -%}
    (
        {{ place }} >= {{ since }} + {{ points }}
        and {{ place }} + {{ points - 1 }} <= len({{ counts }})
        and abs({{ sum_of_signs(counts, place, run, baseline) }}) = {{ run }}
        and not list_bool_or(list_transform(
            range({{ place }}, {{ place }} + {{ points }}),
            lambda later: {{ sum_of_signs(counts, 'later', run, 'list_avg(' ~ candidate ~ ')') }}
            = -sign({{ counts }}[{{ place }}] - {{ baseline }})
            * least({{ run }}, len({{ counts }}) - later + 1)
        ))
    )
{%- endmacro %}

{#- How many of the next `run` points from `place` on lie above `centre`, less those below. -#}
{% macro sum_of_signs(counts, place, run, centre) -%}
    list_sum(list_transform(
        {{ counts }}[{{ place }}:{{ place }} + {{ run - 1 }}],
        lambda one: sign(one - {{ centre }})
    ))
{%- endmacro %}
