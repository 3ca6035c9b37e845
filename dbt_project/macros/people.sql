{#- What is known of a person from several records. Ages in whole years on given days bound the day
    of birth, which is not stored. `event` is the day, `age` the age on it. -#}

{#- The person was born after this day. -#}
{% macro born_after(event, age) -%}
    ({{ event }} - to_years({{ age }} + 1))::date
{%- endmacro %}

{#- The person was born on this day or before. -#}
{% macro born_by(event, age) -%}
    ({{ event }} - to_years({{ age }}))::date
{%- endmacro %}

{#- Age in whole years on a day of somebody born on another; 29 February counts as 1 March. -#}
{% macro age_on(event, born) -%}
    (
        date_part('year', age({{ event }}, {{ born }})) - ({{ born }} > {{ event }})::integer
    )::integer
{%- endmacro %}

{#- Age group of a young person. -#}
{% macro youth_age_group(age) -%}
    case
        when {{ age }} <= 12 then '12 and under'
        when {{ age }} <= 14 then '13 to 14'
        when {{ age }} <= 16 then '15 to 16'
        when {{ age }} >= 17 then '17 and over'
    end
{%- endmacro %}
