{#- Keys of tables that no dimension has, one a row, by the keys that dimensions declare (joined_by).
    `tables` are the published models of the project: dbt must know what to build before this runs. -#}
{% macro keys_without_dimension(tables) -%}
    {%- for table in tables %}{% do ref(table) %}{% endfor %}
    {%- set models = {} %}
    {%- set joins = [] %}
    {%- if execute %}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' %}
            {%- if node.name in tables %}{% do models.update({node.name: node}) %}{% endif %}
        {%- endfor %}
        {%- for dimension in models | sort %}
            {%- for key in models[dimension].config.meta.csp.get('joined_by', []) %}
                {%- for table in models | sort if table not in key.get('unless', []) %}
                    {%- if key['columns'] | reject('in', models[table].columns) | list == [] %}
                        {%- do joins.append((table, dimension, key)) %}
                    {%- endif %}
                {%- endfor %}
            {%- endfor %}
        {%- endfor %}
    {%- endif %}

    select
        null as table_name,
        null as dimension_name,
        null as key_columns,
        null as missing_key
    where false
    {%- for table, dimension, key in joins %}
    union all
    select distinct
        '{{ table }}',
        '{{ dimension }}',
        '{{ key["columns"] | join(", ") }}',
        concat_ws(' ', facts.{{ key['columns'] | join(', facts.') }})
    from {{ ref(table) }} as facts
    anti join {{ ref(dimension) }} as dimensions
        on
            {%- for column in key['columns'] %}
            facts.{{ column }} = dimensions.{{ key.get('to', key['columns'])[loop.index0] }}
            {{- ' and' if not loop.last }}
            {%- endfor %}
        {%- if key.get('optional') %}
    where facts.{{ key['columns'] | join(' is not null and facts.') }} is not null
        {%- endif %}
    {%- endfor %}
{%- endmacro %}
