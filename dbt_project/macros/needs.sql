{#- Name of the row that tables 3 and 6 begin with, among the pathways. -#}
{% macro assessments_row() -%}
    Total OASys assessments completed
{%- endmacro %}
