{#- What the survey's marts share. -#}

{#- Fewest answers on which a percentage is shown without [u], low reliability: at 100 the 95 %
    limits of a half lie about ten points either side. -#}
{% macro survey_reliable_base() -%}100{%- endmacro %}

{#- Status of a percentage by its base: [x] where nobody answered, [u] where few did. -#}
{% macro survey_status(base) -%}
    case
        when coalesce({{ base }}, 0) = 0 then '[x]'
        when {{ base }} < {{ survey_reliable_base() }} then '[u]'
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
