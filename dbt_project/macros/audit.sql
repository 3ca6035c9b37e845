{#- What the audit of the printed assessment shares. A query regenerates each number and can be
    run unchanged; `regenerated_by` has its text. -#}

{#- The printed name of something as printed_figures spells it: 'Low <25' is low_under_25. -#}
{% macro printed_name(text) -%}
    trim(
        regexp_replace(
            replace(replace(lower({{ text }}), '<', 'under '), '+', ' plus'), '[^a-z0-9]+', '_', 'g'
        ),
        '_'
    )
{%- endmacro %}

{#- Fewer than five people stand behind a number, but somebody does. What the print hides, the audit
    never works out: of such a number it says whether it agrees, and no more. -#}
{% macro is_small_count(people) -%}
    coalesce({{ people }} between 1 and 4, false)
{%- endmacro %}

{#- The name of a model as a query types it, such as reports.table_1_offender_rates. -#}
{% macro relation_name(model) -%}
    {%- set relation = ref(model) -%}
    {{ relation.schema }}.{{ relation.identifier }}
{%- endmacro %}

{#- SQL text that gives the text of the query for one cell: what is selected, from which model, and
    the columns that single the row out. -#}
{% macro regenerating_query(selected, model, keys) -%}
    'select ' || {{ selected }} || ' from {{ relation_name(model) }} where '
    {%- for key in keys %}
    || '{{ key }} = ''' || replace({{ key }}::varchar, '''', '''''') || '''
    {%- if not loop.last %} and {% endif %}'
    {%- endfor %}
{%- endmacro %}

{#- One column of a report as cells of the audit. `cells` is where the rows stand, `value` the
    column as the report has it, `unrounded` the same before rounding, `people` how many people are
    behind it ('null' where it counts none), `selected` what the query selects. -#}
{% macro audited_column(
    cells, figure_id, value, model, keys, unrounded=none, people='null', selected=none
) -%}
    select
        {{ figure_id }} as figure_id,
        ({{ value }})::double as value,
        ({{ unrounded or value }})::double as unrounded,
        {{ is_small_count(people) }} as few_people,
        {{ regenerating_query(selected or "'" ~ value ~ "'", model, keys) }} as regenerated_by,
        deliveries
    from {{ cells }}
{%- endmacro %}

{#- A query whose models stand in braces, as it is run, and as a person would type it. -#}
{% macro executable_query(query, models) -%}
    {%- set made = namespace(sql=query) -%}
    {%- for model in models -%}
        {%- set made.sql = made.sql | replace('{' ~ model ~ '}', ref(model) | string) -%}
    {%- endfor -%}
    {{ made.sql }}
{%- endmacro %}

{% macro query_text(query, models) -%}
    {%- set made = namespace(sql=query) -%}
    {%- for model in models -%}
        {%- set made.sql = made.sql | replace('{' ~ model ~ '}', relation_name(model)) -%}
    {%- endfor -%}
    '{{ made.sql | replace("'", "''") }}'
{%- endmacro %}

{#- The printed sentences about one town of the survey, as rows of int_audit__sentences. -#}
{% macro town_sentences(town, wave) -%}
    {%- set here = "area_name = '" ~ town ~ "'" ~ wave -%}
    {%- set unaffected = here ~ " and answer = 'No issues'" -%}
    {{ return([
        ('survey_' ~ town | lower, 'responses', 'survey_responses', here, 'responses'),
        ('no_issues_' ~ town | lower, 'percentage', 'survey_perceptions', unaffected,
            'answer_count'),
        ('no_issues_prev_' ~ town | lower, 'previous_percentage', 'survey_perceptions', unaffected,
            'previous_answer_count'),
    ]) }}
{%- endmacro %}

{#- The raw sources from which a model is made, however many models lie between, as an SQL list. -#}
{% macro sources_behind(model) -%}
    {%- set found = [] -%}
    {%- set waiting = ['model.csp_warehouse.' ~ model] -%}
    {%- set nodes = graph.nodes if execute else {} -%}
    {#- The list grows while it is walked. -#}
    {%- for node in waiting -%}
        {%- if node.startswith('source.csp_warehouse.in_force.') -%}
            {%- do found.append("'" ~ node.split('.') | last ~ "'") -%}
        {%- elif node in nodes -%}
            {%- for parent in nodes[node].depends_on.nodes if parent not in waiting -%}
                {%- do waiting.append(parent) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    [{{ found | sort | join(', ') }}]::varchar[]
{%- endmacro %}

{#- The report of each place of the assessment that has a table, figure or appendix. -#}
{% macro audited_reports() -%}
    {{ return({
        'Table 1': 'table_1_offender_rates',
        'Table 2': 'table_2_offending_frequency',
        'Table 3': 'table_3_oasys_pathways',
        'Table 4': 'table_4_need_complexity',
        'Table 5': 'table_5_social_dwellings',
        'Table 6': 'table_6_acquisitive_pathways',
        'Table 7': 'table_7_feel_safe',
        'Table 8': 'table_8_crime_asb_problem',
        'Figure 2': 'figure_2_offender_profile',
        'Figure 3': 'figure_3_juvenile_offenders',
        'Figure 5': 'figure_5_nps_profile',
        'Appendix C': 'appendix_c_pathways',
    }) }}
{%- endmacro %}

{#- CTE `scope`, one row: the quarter (as_at), and why nothing can be compared with the printed
    assessment (out_of_scope), or null. It is of one quarter, and of one force area with all the
    districts that Table 1 prints. -#}
{% macro audit_scope() -%}
scope as (

    select
        refresh.as_at,
        case
            when refresh.as_at <> date '{{ var("audited_quarter") }}'
                then
                    'The refresh is as at ' || refresh.as_at || '; the printed assessment is of '
                    || '{{ var("audited_quarter") }}.'
            when (districts.served is distinct from districts.printed)
                then
                    'The partnerships served are not those of the printed assessment: '
                    || coalesce(districts.served, 'none in its force area') || '.'
        end as out_of_scope
    from {{ source('control', 'refresh') }} as refresh
    cross join
        (
            select
                (
                    select string_agg(distinct district_name, ', ' order by district_name)
                    from {{ source('control', 'partnership_areas') }}
                    where force_code = '{{ var("audited_force") }}'
                ) as served,
                (
                    select string_agg(distinct area, ', ' order by area)
                    from {{ ref('printed_figures') }}
                    where place = 'Table 1' and area not like '% Constabulary'
                ) as printed
        ) as districts

)
{%- endmacro %}
