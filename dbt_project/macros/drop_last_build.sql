{#- Drops the record of the last build before any model changes: a build that fails leaves none. -#}
{% macro drop_last_build() %}
    {%- if flags.WHICH in ['build', 'run', 'seed'] -%}
        delete from control.last_build
    {%- endif -%}
{% endmacro %}
