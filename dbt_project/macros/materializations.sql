{#- How tables and views are made. DuckDB replaces a table within a transaction, so one statement
    does what dbt's own way (build beside, rename twice, ask for columns and indexes, comment, drop)
    takes a dozen for, and a model costs a third of it. The contract is checked as dbt checks it.
    Comments are written as declared: a column that is described but not made is a fault. -#}

{% materialization table, adapter='duckdb' %}
    {%- set target = this.incorporate(type='table') -%}
    {%- do drop_relation_of_other_type(target) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        {%- if config.get('contract').enforced %}
            {{- get_assert_columns_equivalent(compiled_code) }}
            create or replace table {{ target }} {{ get_table_columns_and_constraints() }};
            insert into {{ target }} {{ get_column_names() }} (
                {{ get_select_subquery(compiled_code) }}
            );
        {%- else %}
            create or replace table {{ target }} as (
                {{ compiled_code }}
            );
        {%- endif %}
        {{ comments_on(target) }}
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb' %}
    {%- set target = this.incorporate(type='view') -%}
    {%- do drop_relation_of_other_type(target) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        create or replace view {{ target }} as (
            {{ compiled_code }}
        );
        {{ comments_on(target) }}
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- Drops what has the name of a table but is a view, or the other way round. -#}
{% macro drop_relation_of_other_type(target) %}
    {%- set existing = load_cached_relation(target) -%}
    {%- if existing is not none and existing.type != target.type -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
{% endmacro %}

{#- The descriptions of the model and of its columns, as comments in the database. -#}
{% macro comments_on(target) -%}
    {%- if config.persist_relation_docs() and model.description %}
        {{- alter_relation_comment(target, model.description) }}
    {%- endif %}
    {#- Views of a lake take no comments on columns. -#}
    {%- if config.persist_column_docs() and not (target.is_view and adapter.is_ducklake(target)) %}
        {%- for name, column in model.columns.items() %}
        comment on column {{ target }}.{{ adapter.quote(name) if column.quote else name }}
            is {{ duckdb_escape_comment(column.description) }};
        {%- endfor %}
    {%- endif %}
{%- endmacro %}
