{#- Forgets what the models were last built from, before any of them is touched. -#}
{% macro forget_last_build() %}
    {%- if flags.WHICH in ['build', 'run', 'seed'] -%}
        delete from control.last_build
    {%- endif -%}
{% endmacro %}
