{#- Labels of periods. `day` is the first day of the month or quarter. -#}

{#- '2018/19' for any day from 1 April 2018 to 31 March 2019. -#}
{% macro financial_year_label(day) -%}
    strftime({{ day }} - interval 3 month, '%Y') || '/'
    || strftime({{ day }} + interval 9 month, '%y')
{%- endmacro %}

{#- 'Q1 2018/19' for 1 April 2018. -#}
{% macro quarter_label(day) -%}
    'Q' || quarter({{ day }} - interval 3 month) || ' ' || {{ financial_year_label(day) }}
{%- endmacro %}

{#- Condition that keeps the rows of a report's latest period: the last that its force area has,
    since forces send their snapshots on different days. `rows` is a relation with area_code and
    period_end, and `areas` the one that says each area's force; both are aliases of the query. -#}
{% macro is_latest_period_of_force(rows, areas) -%}
    {{ rows }}.period_end = max({{ rows }}.period_end) over (partition by {{ areas }}.force_code)
{%- endmacro %}

{#- Key of a period, as in dim_period: 'month:2018-04-01'. -#}
{% macro period_key(period_type, first_day) -%}
    {{ period_type }} || ':' || strftime({{ first_day }}, '%Y-%m-%d')
{%- endmacro %}
