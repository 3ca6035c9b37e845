-- The numbers of the assessment's tables and figures, each from the report that is shaped as it is
-- printed, under the name that the printed number has. Cells that are not printed come along.

{%- set district = "'" ~ var('audited_district') ~ "'" %}
{%- set force = "'" ~ var('audited_force') ~ "'" %}
{%- set year = '2017/18' %}
{%- set snapshot = 'February 2017' %}
{%- set wave = 'April to June 2018' %}

with areas as (

    select
        district_code as area_code,
        {{ printed_name('district_name') }} as printed_area,
        {{ printed_name('district_name') }} as stock_area
    from {{ source('control', 'partnership_areas') }}
    where force_code = {{ force }}
    union all
    select distinct
        force_code as area_code,
        {{ printed_name('force_name') }} as printed_area,
        {{ printed_name('force_area_name') }} as stock_area
    from {{ source('control', 'partnership_areas') }}
    where force_code = {{ force }}
    union all
    select
        remainders.area_code,
        remainders.printed_area,
        null as stock_area
    from (
        values
        ({{ force }} || ':outside', 'out_of_county'),
        ({{ force }} || ':unlocated', 'no_geographic_data')
    ) as remainders (area_code, printed_area)

),

table_1 as (

    select
        'table_1.' || {{ printed_name('rates.period_label') }} || '.' || areas.printed_area
            as figure_id,
        rates.area_code,
        rates.period_label,
        rates.offenders,
        rates.population,
        rates.rate_per_1000,
        rates.deliveries
    from {{ ref('table_1_offender_rates') }} as rates
    inner join areas on rates.area_code = areas.area_code

),

table_2 as (

    select
        'table_2.' || number_of_offences || '.' as figure_stem,
        area_code,
        period_label,
        number_of_offences,
        offenders,
        offences,
        percent_of_offences,
        percent_of_offenders,
        max(offenders) over () as all_offenders,
        max(offences) over () as all_offences,
        deliveries
    from {{ ref('table_2_offending_frequency') }}
    where area_code = {{ district }} and period_label = '{{ year }}'

),

-- The report shows these rows as one. Printed, each is <5 beside its offences: whether it is fewer
-- than five is all that is asked.
table_2_few as (

    select
        'table_2.' || offences_per_offender || '.' as figure_stem,
        area_code,
        period_label,
        offences_per_offender,
        offenders,
        offences,
        deliveries
    from {{ ref('int_offenders__by_offences') }}
    where
        area_code = {{ district }}
        and period_label = '{{ year }}'
        and offences_per_offender >= {{ var('offences_band_from') }}

),

figure_2 as (

    select
        'figure_2.' || {{ printed_name('dimension') }} || '.' || {{ printed_name('category') }}
            as figure_stem,
        area_code,
        period_label,
        dimension,
        category,
        offenders,
        percent_of_all,
        max(offenders) filter (where dimension = 'All') over () as all_offenders,
        deliveries
    from {{ ref('figure_2_offender_profile') }}
    where area_code = {{ district }} and period_label = '{{ year }}'

),

figure_3 as (

    select
        'figure_3.' || areas.printed_area as figure_id,
        figure.area_code,
        figure.period_label,
        figure.juvenile_offenders,
        figure.deliveries
    from {{ ref('figure_3_juvenile_offenders') }} as figure
    inner join areas on figure.area_code = areas.area_code
    where figure.period_label = '2016'

),

table_3 as (

    select
        'table_3.' || areas.printed_area || '.' || {{ printed_name('needs.pathway') }} as figure_id,
        needs.area_code,
        needs.period_label,
        needs.pathway,
        needs.offenders,
        needs.deliveries
    from {{ ref('table_3_oasys_pathways') }} as needs
    inner join areas on needs.area_code = areas.area_code
    where needs.period_label = '{{ snapshot }}'

),

table_4 as (

    select
        'table_4.' || assessed_needs || '_needs' as figure_id,
        area_code,
        period_label,
        assessed_needs,
        offenders,
        deliveries
    from {{ ref('table_4_need_complexity') }}
    where area_code = {{ district }} and period_label = '{{ snapshot }}'

),

figure_5 as (

    select
        'figure_5.' || areas.printed_area || '.'
        || case figure.dimension
            when 'Number of offenders' then 'number_of_offenders_per_district'
            when 'OGRS 3' then 'ogsr_3'
            else {{ printed_name('figure.dimension') }}
        end || '.'
        || case figure.category
            when 'Education Training and Employment' then 'ete'
            else {{ printed_name('figure.category') }}
        end as figure_id,
        figure.area_code,
        figure.period_label,
        figure.dimension,
        figure.category,
        figure.people,
        figure.base,
        figure.percent,
        figure.deliveries
    from {{ ref('figure_5_nps_profile') }} as figure
    inner join areas on figure.area_code = areas.area_code
    where figure.period_label = '{{ snapshot }}'

),

table_5 as (

    select
        'table_5.' || areas.stock_area || '.' as figure_stem,
        stock.area_code,
        stock.stock_year,
        stock.local_authority,
        stock.private_registered_provider,
        stock.other_public_sector,
        stock.total,
        stock.population,
        stock.rate_per_1000,
        stock.deliveries
    from {{ ref('table_5_social_dwellings') }} as stock
    inner join areas on stock.area_code = areas.area_code
    where stock.stock_year = 2016

),

table_6 as (

    select
        'table_6.' || {{ printed_name('pathway') }} || '.' || {{ printed_name('offender_group') }}
            as figure_stem,
        area_code,
        period_label,
        pathway,
        offender_group,
        offenders,
        base,
        percent,
        deliveries
    from {{ ref('table_6_acquisitive_pathways') }}
    where area_code = {{ force }}

),

appendix_c as (

    select
        'appendix_c.' || case pathway
            when 'Attitudes to offending' then 'attitudes'
            when 'Lifestyles' then 'lifestyle_and_associates'
            when 'Alcohol' then 'alcohol_misuse'
            when 'Emotional' then 'emotional_wellbeing'
            when 'Finance' then 'financial_management_and_income'
            when 'Drugs' then 'drug_misuse'
            when 'Education Training and Employment' then 'education_training_and_employability'
            else {{ printed_name('pathway') }}
        end as figure_id,
        area_code,
        period_label,
        pathway,
        offenders,
        base,
        percent,
        deliveries
    from {{ ref('appendix_c_pathways') }}
    where area_code = {{ force }}

),
{% for table, model, question, answers in [
    ('table_7', 'table_7_feel_safe', 'feel_safe', ['Very Safe', 'Safe', 'Unsafe', 'Very Unsafe']),
    (
        'table_8', 'table_8_crime_asb_problem', 'crime_asb_problem',
        ['Not at all', 'Not much', 'Quite a problem', 'Big problem']
    ),
] %}
{{ table }} as (

    select
        '{{ table }}.' || {{ printed_name('shares.area_name') }}
        || '.' || shares.answer_column || '.' as figure_stem,
        shares.area_code,
        shares.period_label,
        shares.answer_column,
        shares.percentage,
        shares.percentage_previous,
        answers.answer_count,
        answers.base,
        answers.previous_answer_count,
        answers.previous_base,
        shares.deliveries
    from (
        {% for answer in answers %}
        {%- set answer_column = answer | lower | replace(' ', '_') %}
        select
            area_code,
            area_name,
            period_label,
            '{{ answer }}' as answer,
            '{{ answer_column }}' as answer_column,
            {{ answer_column }} as percentage,
            {{ answer_column }}_previous as percentage_previous,
            deliveries
        from {{ ref(model) }}
        where district_code = {{ district }} and period_label = '{{ wave }}'
        {% if not loop.last %}union all{% endif %}
        {%- endfor %}
    ) as shares
    inner join {{ ref('survey_perceptions') }} as answers
        on
            shares.area_code = answers.area_code
            and shares.period_label = answers.period_label
            and shares.answer = answers.answer
    where answers.question = '{{ question }}'

),
{% endfor %}
{% set offences = ['area_code', 'period_label', 'number_of_offences'] -%}
{% set few_offences = ['area_code', 'period_label', 'offences_per_offender'] -%}
{% set profile = ['area_code', 'period_label', 'dimension', 'category'] -%}
{% set pathway = ['area_code', 'period_label', 'pathway'] -%}

cells as (

    {{ audited_column(
        'table_1', 'figure_id', 'rate_per_1000', 'table_1_offender_rates',
        ['area_code', 'period_label'],
        unrounded=rate_per_1000('offenders', 'population'), people='offenders'
    ) }}
    union all
    {{ audited_column(
        'table_2', "figure_stem || 'offenders'", 'offenders', 'table_2_offending_frequency',
        offences, people='offenders'
    ) }}
    union all
    {{ audited_column(
        'table_2', "figure_stem || 'total_offences'", 'offences', 'table_2_offending_frequency',
        offences, people='offenders'
    ) }}
    union all
    {{ audited_column(
        'table_2', "figure_stem || 'percentage_of_offences'", 'percent_of_offences',
        'table_2_offending_frequency', offences,
        unrounded=percent('offences', 'all_offences'), people='offenders'
    ) }}
    union all
    {{ audited_column(
        'table_2', "figure_stem || 'percentage_of_offenders'", 'percent_of_offenders',
        'table_2_offending_frequency', offences,
        unrounded=percent('offenders', 'all_offenders'), people='offenders'
    ) }}
    {%- for printed in ['offenders', 'percentage_of_offences', 'percentage_of_offenders'] %}
    union all
    {{ audited_column(
        'table_2_few', "figure_stem || '" ~ printed ~ "'", 'null', 'int_offenders__by_offences',
        few_offences, people='offenders', selected="'offenders between 1 and 4'"
    ) }}
    {%- endfor %}
    union all
    {{ audited_column(
        'table_2_few', "figure_stem || 'total_offences'", 'offences', 'int_offenders__by_offences',
        few_offences, people='offenders'
    ) }}
    union all
    {{ audited_column(
        'figure_2', "figure_stem || '.count'", 'offenders', 'figure_2_offender_profile',
        profile, people='offenders'
    ) }}
    union all
    {{ audited_column(
        'figure_2', "figure_stem || '.percent'", 'percent_of_all', 'figure_2_offender_profile',
        profile, unrounded=percent('offenders', 'all_offenders'), people='offenders'
    ) }}
    union all
    {{ audited_column(
        'figure_3', 'figure_id', 'juvenile_offenders', 'figure_3_juvenile_offenders',
        ['area_code', 'period_label'], people='juvenile_offenders'
    ) }}
    union all
    {{ audited_column(
        'table_3', 'figure_id', 'offenders', 'table_3_oasys_pathways', pathway, people='offenders'
    ) }}
    union all
    {{ audited_column(
        'table_4', 'figure_id', 'offenders', 'table_4_need_complexity',
        ['area_code', 'period_label', 'assessed_needs'], people='offenders'
    ) }}
    union all
    {{ audited_column(
        'figure_5', 'figure_id', 'coalesce(percent, people)', 'figure_5_nps_profile', profile,
        unrounded='coalesce(100.0 * people / nullif(base, 0), people)', people='people'
    ) }}
    {%- for printed, column in [
        ('local_authority_incl_owned_by_other_las', 'local_authority'),
        ('private_registered_provider', 'private_registered_provider'),
        ('other_public_sector', 'other_public_sector'),
        ('total', 'total'),
        ('population', 'population'),
    ] %}
    union all
    {{ audited_column(
        'table_5', "figure_stem || '" ~ printed ~ "'", column, 'table_5_social_dwellings',
        ['area_code', 'stock_year']
    ) }}
    {%- endfor %}
    union all
    {{ audited_column(
        'table_5', "figure_stem || 'rate_per_1000'", 'rate_per_1000', 'table_5_social_dwellings',
        ['area_code', 'stock_year'], unrounded=rate_per_1000('total', 'population')
    ) }}
    union all
    {{ audited_column(
        'table_6', "figure_stem || '.count'", 'offenders', 'table_6_acquisitive_pathways',
        pathway + ['offender_group'], people='offenders'
    ) }}
    union all
    {{ audited_column(
        'table_6', "figure_stem || '.percent'", 'percent', 'table_6_acquisitive_pathways',
        pathway + ['offender_group'], unrounded=percent('offenders', 'base'), people='offenders'
    ) }}
    {%- for table, model in [
        ('table_7', 'table_7_feel_safe'), ('table_8', 'table_8_crime_asb_problem')
    ] %}
    union all
    {{ audited_column(
        table, "figure_stem || 'current'", 'percentage', model, ['area_code', 'period_label'],
        unrounded=percent('answer_count', 'base'), people='answer_count',
        selected='answer_column'
    ) }}
    union all
    {{ audited_column(
        table, "figure_stem || 'previous'", 'percentage_previous', model,
        ['area_code', 'period_label'],
        unrounded=percent('previous_answer_count', 'previous_base'),
        people='previous_answer_count', selected="answer_column || '_previous'"
    ) }}
    {%- endfor %}
    union all
    {{ audited_column(
        'appendix_c', 'figure_id', 'percent', 'appendix_c_pathways', pathway,
        unrounded=percent('offenders', 'base'), people='offenders'
    ) }}

)

select
    figure_id,
    value,
    unrounded,
    few_people,
    regenerated_by,
    deliveries
from cells
