{#- What two spellings of an offence category have in common: its letters, "&" as "and". -#}
{% macro category_key(category) -%}
    regexp_replace(replace(lower({{ category }}), '&', 'and'), '[^a-z]+', '', 'g')
{%- endmacro %}
