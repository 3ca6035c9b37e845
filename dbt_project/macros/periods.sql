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
