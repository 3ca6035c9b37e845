{#- What the survey's marts share. -#}

{#- Status of a percentage by its base: [x] where nobody answered, [u] where few did. -#}
{% macro survey_status(base) -%}
    case
        when coalesce({{ base }}, 0) = 0 then '[x]'
        when {{ base }} < {{ var('survey_reliable_base') }} then '[u]'
    end
{%- endmacro %}

{#- 'April to June 2018' for the quarter that starts on `day`. -#}
{% macro survey_wave_label(day) -%}
    strftime({{ day }}, '%B') || ' to ' || strftime({{ day }} + interval 2 month, '%B %Y')
{%- endmacro %}

{#- A proportion as a whole percentage, half up, by whole numbers so that no half is lost. -#}
{% macro whole_percentage(part, whole) -%}
    ((200 * {{ part }} + {{ whole }}) // (2 * nullif({{ whole }}, 0)))::integer
{%- endmacro %}

{#- Tables 7 and 8, which differ by question alone: one row a town and wave, a pair of columns an
    answer, the whole percentage and the one of the wave before. -#}
{% macro survey_table(question, answers) -%}
select
    period_start,
    any_value(period_key) as period_key,
    any_value(period_label) as period_label,
    -- Each partnership has a table of its own.
    row_number() over (
        partition by period_start, any_value(district_code)
        order by any_value(area_order)
    )::integer as row_order,
    area_code,
    any_value(area_name) as area_name,
    any_value(district_code) as district_code,
    any_value(csp) as csp,
    {%- for answer in answers %}
    {%- set column = answer | lower | replace(' ', '_') %}
    max({{ whole_percentage('answer_count', 'base') }})
        filter (where answer = '{{ answer }}') as {{ column }},
    max(answer_count) filter (where answer = '{{ answer }}') as {{ column }}_answers,
    max({{ whole_percentage('previous_answer_count', 'previous_base') }})
        filter (where answer = '{{ answer }}') as {{ column }}_previous,
    max(previous_answer_count)
        filter (where answer = '{{ answer }}') as {{ column }}_previous_answers,
    {%- endfor %}
    (period_start - interval 3 month)::date as previous_period_start,
    any_value(base) as base,
    any_value(previous_base) as previous_base,
    any_value(responses) as responses,
    any_value(status) as status,
    any_value(previous_status) as previous_status,
    any_value(deliveries) as deliveries
from {{ ref('survey_perceptions') }}
where
    question = '{{ question }}'
    and area_type = 'town'
group by period_start, area_code
{%- endmacro %}
