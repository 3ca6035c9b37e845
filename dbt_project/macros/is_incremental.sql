{#- As dbt's own, but for compiling alone, which then has nothing to ask of the warehouse: it is
    done ahead of any run, where there may be none yet or another process may be writing. -#}
{% macro is_incremental() -%}
    {{ return(flags.WHICH != 'compile' and dbt.is_incremental()) }}
{%- endmacro %}
