-- Each row of a table finds one row of every dimension that it joins, by the keys that dimensions
-- declare (joined_by). Returns the keys that no dimension has; where a row would find several, the
-- key test of the dimension fails.

{{ config(meta={'dagster': {'ref': {'name': 'dim_area'}}}) }}

{#- Named here, because dbt must know what to build before this test runs. -#}
{%- set tables = [
    'accommodation_need', 'appendix_c_pathways', 'area_changes', 'area_parents', 'areas',
    'burglary_trends', 'crime_by_small_area', 'crime_by_ward_and_town', 'crime_concentration',
    'crime_harm', 'crime_hot_spots', 'crime_monthly', 'crime_outlook', 'crime_outlook_verdicts',
    'crime_priorities', 'crime_scanning', 'crime_seasonal', 'crime_trends', 'dim_area',
    'dim_cohort', 'dim_crime_type', 'dim_month', 'dim_offence_group', 'dim_pathway',
    'dim_period', 'figure_10_shoplifting', 'figure_11_burglary', 'figure_2_offender_profile',
    'figure_3_juvenile_offenders', 'figure_4_first_time_entrants', 'figure_5_nps_profile',
    'figure_6_accommodation_need', 'figure_6_prison_and_youth_need', 'figure_7_males_released',
    'figure_8_females_released', 'iom_cohort', 'need_complexity', 'need_pathways',
    'offender_profile', 'offender_rates', 'page_crime_map', 'page_hot_spots', 'page_outlook',
    'page_priorities', 'page_scanning', 'populations', 'prison_accommodation_need',
    'probation_profile', 'shoplifting_trends', 'small_areas', 'social_housing_stock',
    'supported_accommodation', 'survey_perceptions', 'table_1_offender_rates',
    'table_2_offending_frequency', 'table_3_oasys_pathways', 'table_4_need_complexity',
    'table_5_social_dwellings', 'table_6_acquisitive_pathways', 'table_7_feel_safe',
    'table_8_crime_asb_problem', 'youth_offenders'
] %}
{%- for table in tables %}{% do ref(table) %}{% endfor %}
{%- set models = {} %}
{%- set joins = [] %}
{%- if execute %}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' %}
        {%- if node.config.meta.get('csp', {}).get('publish') %}
            {%- do models.update({node.name: node}) %}
        {%- endif %}
    {%- endfor %}
    {%- for name in models | sort if name not in tables %}
        {{ exceptions.raise_compiler_error(name ~ ' is published: name it in this test') }}
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
