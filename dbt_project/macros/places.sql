{#- What comparing places needs. -#}

{#- The rank of a value within its family from the lowest, equal values sharing the middle of their
    ranks. -#}
{% macro middle_rank(value, family) -%}
    (
        rank() over (partition by {{ family }} order by {{ value }})
        + (count(*) over (partition by {{ family }}, {{ value }}) - 1) / 2
    )
{%- endmacro %}

{#- How many of so many places are the highest share of them: at least one. -#}
{% macro highest_places(places) -%}
    ceil({{ places }} * {{ var('highest_share') }})
{%- endmacro %}

{#- The months of a period as text, such as "Twelve months to June 2018" or "6 of the twelve months to
    June 2024" where the others have no file. -#}
{% macro period_of_months(months_counted, last_month) -%}
    case
        when {{ months_counted }} = 12 then 'Twelve months to '
        else {{ months_counted }} || ' of the twelve months to '
    end || strftime({{ last_month }}, '%B %Y')
{%- endmacro %}
