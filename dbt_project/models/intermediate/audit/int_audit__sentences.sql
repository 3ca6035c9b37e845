-- The numbers that the assessment states in sentences, each with the query that regenerates it. A
-- query that finds nothing, or more than one answer, gives null.

{%- set fenland = "area_name = 'Fenland'" %}
{%- set south = "area_name = 'South Cambridgeshire'" %}
{%- set county = "area_name = 'Cambridgeshire and Peterborough'" %}
{%- set year = fenland ~ " and period_label = '2017/18'" %}
{%- set both_years = " and period_label in ('2012', '2016')" %}
{%- set decline %}
100.0 - 100.0 * sum(offenders) filter (where period_label = '2016')
        / sum(offenders) filter (where period_label = '2012')
{%- endset %}
{%- set repeated = "filter (where offences_per_offender > 1)" %}
{%- set snapshot = " and period_label = 'February 2017'" %}
{%- set crc = fenland ~ snapshot ~ " and cohort = 'CRC'" %}
{%- set nps = fenland ~ snapshot ~ " and cohort = 'NPS'" %}
{%- set both_cohorts = fenland ~ snapshot ~ " and cohort = 'CRC and NPS'" %}
{%- set may_2018 = fenland ~ " and cohort = 'CRC' and period_label = 'May 2018' and " %}
{%- set first_half = " and period_label = 'January to June 2017'" %}
{%- set second_half = " and period_label = 'July to December 2017'" %}
{%- set released = "area_type = 'all' and sex = 'All' and accommodation = " %}
{%- set prison = "period_label = '2017' and prison = 'HMP Peterborough' and sex = " %}
{%- set managed = "dimension = 'all' and period_label = '30 June 2018' and " %}
{%- set scheme = "kind = 'supported place' and period_label = '30 June 2018' and scheme = " %}
{%- set wave = " and period_label = 'April to June 2018'" %}
{%- set speeding = "question = 'csp_focus' and answer = 'Speeding / anti-social driving'
        and area_type = 'town'" ~ wave %}

{#- Each: name, what is selected, from which model, for which rows, how many people are behind it.
    `summaries` sum up many rows, `sentences` read a cell. -#}
{%- set summaries = [
    ('repeat_offender_share', '100.0 * sum(offenders) ' ~ repeated ~ ' / sum(offenders)',
        'offending_frequency', year, 'sum(offenders) ' ~ repeated),
    ('repeat_offence_share', '100.0 * sum(offences) ' ~ repeated ~ ' / sum(offences)',
        'offending_frequency', year, 'sum(offenders) ' ~ repeated),
    ('decline_2012_2016_headline', decline, 'offender_rates', fenland ~ both_years, 'null'),
    ('scambs_decline', decline, 'offender_rates', south ~ both_years, 'null'),
    ('modal_age', 'mode(age_years)', 'int_offenders__charged',
        "area_code = '" ~ var('audited_district') ~ "' and period_start = '2017-04-01'", 'null'),
    ('focus_speeding', 'avg(percentage)', 'survey_perceptions', speeding, 'null'),
    ('focus_speeding_prev', 'avg(previous_percentage)', 'survey_perceptions', speeding, 'null'),
] %}
{%- set sentences = [
    ('offenders_2017_18', 'all_offenders', 'offending_frequency', year, 'all_offenders'),
    ('offences_2017_18', 'all_offences', 'offending_frequency', year, 'all_offenders'),
    ('one_offence_share', 'percent_of_offenders', 'offending_frequency',
        year ~ ' and offences_per_offender = 1', 'offenders'),
    ('rate_2017_18', 'rate_per_1000', 'offender_rates', year, 'offenders'),
    ('rate_2016', 'rate_per_1000', 'offender_rates', fenland ~ " and period_label = '2016'",
        'offenders'),
    ('rate_2012', 'rate_per_1000', 'offender_rates', fenland ~ " and period_label = '2012'",
        'offenders'),
    ('offenders_2016', 'offenders', 'offender_rates', fenland ~ " and period_label = '2016'",
        'offenders'),
    ('offenders_2012', 'offenders', 'offender_rates', fenland ~ " and period_label = '2012'",
        'offenders'),
    ('decline_fenland_from', 'offenders', 'offender_rates', fenland ~ " and period_label = '2012'",
        'offenders'),
    ('scambs_2012', 'offenders', 'offender_rates', south ~ " and period_label = '2012'",
        'offenders'),
    ('scambs_2016', 'offenders', 'offender_rates', south ~ " and period_label = '2016'",
        'offenders'),
    ('male_share', 'percent_of_all', 'offender_profile', year ~ " and category = 'Male'",
        'offenders'),
    ('female_share', 'percent_of_all', 'offender_profile', year ~ " and category = 'Female'",
        'offenders'),
    ('female_share_county', 'percent_of_all', 'offender_profile',
        county ~ " and period_label = '2017/18' and category = 'Female'", 'offenders'),
    ('white_british_share', 'percent_of_all', 'offender_profile',
        year ~ " and category = 'White British'", 'offenders'),
    ('white_other_share', 'percent_of_all', 'offender_profile',
        year ~ " and category = 'White: Other inc Irish'", 'offenders'),
    ('white_other_share_county', 'percent_of_all', 'offender_profile',
        county ~ " and period_label = '2017/18' and category = 'White: Other inc Irish'",
        'offenders'),
    ('violence_share', 'percent_of_all', 'offender_profile',
        year ~ " and category = 'Violence Against the Person'", 'offenders'),
    ('theft_share', 'percent_of_all', 'offender_profile',
        year ~ " and category = 'Theft and Handling'", 'offenders'),
    ('yos_2017_18', 'juvenile_offenders', 'figure_3_juvenile_offenders', year,
        'juvenile_offenders'),
    ('juvenile_2016', 'juvenile_offenders', 'figure_3_juvenile_offenders',
        fenland ~ " and period_label = '2016'", 'juvenile_offenders'),
    ('crc_accommodation_need', '100 * proportion', 'accommodation_need', crc,
        'offenders_with_need'),
    ('nps_accommodation_fenland', '100 * proportion', 'accommodation_need', nps,
        'offenders_with_need'),
    ('nps_accommodation_force', '100 * proportion', 'accommodation_need',
        county ~ snapshot ~ " and cohort = 'NPS'", 'offenders_with_need'),
    ('nps_managed_feb2017', 'caseload', 'accommodation_need', nps, 'caseload'),
    ('nps_caseload_feb2017', 'caseload', 'accommodation_need', nps, 'caseload'),
    ('probation_fenland_feb2017', 'caseload', 'accommodation_need', both_cohorts, 'caseload'),
    ('probation_accom_fenland', 'offenders_with_need', 'accommodation_need', both_cohorts,
        'offenders_with_need'),
    ('crc_caseload_may2018', 'caseload', 'probation_profile', may_2018 ~ 'true', 'caseload'),
    ('crc_caseload_may2017', 'caseload', 'probation_profile',
        fenland ~ " and cohort = 'CRC' and period_label = 'May 2017'", 'caseload'),
    ('crc_female_share', '100 * proportion', 'probation_profile',
        may_2018 ~ "dimension = 'Gender' and category = 'Female'", 'people'),
    ('crc_female', 'people', 'probation_profile',
        may_2018 ~ "dimension = 'Gender' and category = 'Female'", 'people'),
    ('crc_male_share', '100 * proportion', 'probation_profile',
        may_2018 ~ "dimension = 'Gender' and category = 'Male'", 'people'),
    ('crc_transient', 'people', 'probation_profile',
        may_2018 ~ "category = 'Transient or temporary'", 'people'),
    ('crc_transient_share', '100 * proportion', 'probation_profile',
        may_2018 ~ "category = 'Transient or temporary'", 'people'),
    ('crc_homeless', 'people', 'probation_profile', may_2018 ~ "category = 'Homeless'", 'people'),
    ('crc_nfa', 'people', 'probation_profile', may_2018 ~ "category = 'No fixed abode'", 'people'),
    ('crc_disability_share', '100 * proportion', 'probation_profile',
        may_2018 ~ "dimension = 'Disability' and category = 'Yes'", 'people'),
    ('crc_disability', 'people', 'probation_profile',
        may_2018 ~ "dimension = 'Disability' and category = 'Yes'", 'people'),
    ('crc_selfharm_share', '100 * proportion', 'probation_profile',
        may_2018 ~ "dimension = 'Suicide or self-harm' and category = 'Yes'", 'people'),
    ('crc_under21_share', '100 * proportion', 'probation_profile',
        may_2018 ~ "dimension = 'Age under 21' and category = 'Yes'", 'people'),
    ('crc_under21', 'people', 'probation_profile',
        may_2018 ~ "dimension = 'Age under 21' and category = 'Yes'", 'people'),
    ('crc_31_35', 'people', 'probation_profile', may_2018 ~ "category = '31-35'", 'people'),
    ('crc_rural_tenants_share', '100 * proportion', 'probation_profile',
        may_2018 ~ "category = 'Rural Tenants'", 'people'),
    ('crc_rural_tenants', 'people', 'probation_profile', may_2018 ~ "category = 'Rural Tenants'",
        'people'),
    ('crc_white_british_share', '100 * proportion', 'probation_profile',
        may_2018 ~ "category = 'White British'", 'people'),
    ('crc_white_other_share', '100 * proportion', 'probation_profile',
        may_2018 ~ "category = 'White: Other inc Irish'", 'people'),
    ('crc_violent_share', '100 * proportion', 'probation_profile',
        may_2018 ~ "category = 'Violence'", 'people'),
    ('crc_acq_motoring_share', '100 * proportion', 'probation_profile',
        may_2018 ~ "category in ('Acquisitive', 'Motoring')", 'people'),
    ('nps_male_share', '100 * proportion', 'probation_profile', nps ~ " and category = 'Male'",
        'people'),
    ('nps_white_british_share', '100 * proportion', 'probation_profile',
        nps ~ " and category = 'White British'", 'people'),
    ('nps_white_other_share', '100 * proportion', 'probation_profile',
        nps ~ " and category = 'White: Other inc Irish'", 'people'),
    ('nps_51_60_share', '100 * proportion', 'probation_profile', nps ~ " and category = '51-60'",
        'people'),
    ('hmp_pb_released_h1', 'released', 'int_prison_releases__by_accommodation',
        released ~ "'All releases'" ~ first_half, 'released'),
    ('hmp_pb_noaccom_h1', '100 * proportion', 'int_prison_releases__by_accommodation',
        released ~ "'No accommodation'" ~ first_half, 'released'),
    ('hmp_pb_released_h2', 'released', 'int_prison_releases__by_accommodation',
        released ~ "'All releases'" ~ second_half, 'released'),
    ('hmp_pb_noaccom_h2', '100 * proportion', 'int_prison_releases__by_accommodation',
        released ~ "'No accommodation'" ~ second_half, 'released'),
    ('prison_accommodation_avg', '100 * proportion', 'prison_accommodation_need',
        "period_label = '2017' and prison = 'Other local prisons' and sex = 'All'", 'with_need'),
    ('hmp_pb_male_need', '100 * proportion', 'prison_accommodation_need', prison ~ "'Male'",
        'with_need'),
    ('hmp_pb_female_need', '100 * proportion', 'prison_accommodation_need', prison ~ "'Female'",
        'with_need'),
    ('hmp_pb_need_share', '100 * proportion', 'prison_accommodation_need', prison ~ "'All'",
        'with_need'),
    ('hmp_pb_need', 'with_need', 'prison_accommodation_need', prison ~ "'All'", 'with_need'),
    ('hmp_pb_assessed', 'assessed', 'prison_accommodation_need', prison ~ "'All'", 'assessed'),
    ('males_nfa_cambs', 'no_fixed_abode', 'figure_7_males_released', county ~ first_half,
        'no_fixed_abode'),
    ('females_nfa', 'no_fixed_abode', 'figure_8_females_released',
        "area_type = 'all'" ~ first_half, 'no_fixed_abode'),
    ('females_nfa_cambs', 'no_fixed_abode', 'figure_8_females_released', county ~ first_half,
        'no_fixed_abode'),
    ('luminus_places', 'places', 'supported_accommodation',
        scheme ~ "'Ex-Offender Project' and area_type = 'force'", 'null'),
    ('luminus_huntingdon', 'places', 'supported_accommodation',
        scheme ~ "'Ex-Offender Project' and town = 'Huntingdon'", 'null'),
    ('luminus_wisbech', 'places', 'supported_accommodation',
        scheme ~ "'Ex-Offender Project' and town = 'Wisbech'", 'null'),
    ('genesis_places', 'places', 'supported_accommodation',
        scheme ~ "'Genesis Housing' and town in ('March', 'Wisbech')", 'null'),
    ('foyer_places', 'places', 'supported_accommodation',
        scheme ~ "'Wisbech Foyer' and town = 'Wisbech'", 'null'),
    ('iom_total', 'people', 'iom_cohort', managed ~ county, 'people'),
    ('iom_fenland', 'people', 'iom_cohort', managed ~ fenland, 'people'),
    ('survey_responses', 'responses', 'survey_responses', fenland ~ wave, 'responses'),
    ('survey_increase', 'change_percentage', 'survey_responses', fenland ~ wave, 'null'),
    ('survey_previous', 'previous_responses', 'survey_responses', fenland ~ wave,
        'previous_responses'),
] %}
{%- set towns = ['Chatteris', 'March', 'Whittlesey', 'Wisbech'] %}
{%- for town in towns %}{% do sentences.extend(town_sentences(town, wave)) %}{% endfor %}

{#- Once a model, because each needs a walk through all its parents. -#}
{%- set behind = {} %}
{%- set models = (summaries + sentences) | map(attribute=2) | unique %}
{%- for model in models %}{% do behind.update({model: sources_behind(model)}) %}{% endfor %}

with queries as (

    select
        listed.figure_id,
        listed.regenerated_by,
        listed.sources
    from (
        values
        {%- for name, selected, model, rows, people in summaries + sentences %}
        {%- set query = 'select ' ~ selected ~ ' from {' ~ model ~ '} where ' ~ rows %}
        ('text.{{ name }}', {{ query_text(query, [model]) }}, {{ behind[model] }})
        {{- ',' if not loop.last }}
        {%- endfor %}
    ) as listed (figure_id, regenerated_by, sources)

),

answers as (
    {% for name, selected, model, rows, people in summaries %}
    select
        'text.{{ name }}' as figure_id,
        ({{ selected }})::double as value,
        {{ is_small_count(people) }} as few_people,
        {% if model.startswith('int_') -%} null {%- else -%} any_value(deliveries) {%- endif %}
            as deliveries
    from {{ ref(model) }}
    where {{ rows }}
    union all
    {%- endfor %}
    {%- for name, selected, model, rows, people in sentences %}
    select
        'text.{{ name }}' as figure_id,
        ({{ selected }})::double as value,
        {{ is_small_count(people) }} as few_people,
        deliveries
    from {{ ref(model) }}
    where {{ rows }}
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}

),

single_answers as (

    select
        figure_id,
        case when min(value) = max(value) then min(value) end as value,
        bool_or(few_people) as few_people,
        any_value(deliveries) as deliveries
    from answers
    group by figure_id

)

select
    queries.figure_id,
    single_answers.value,
    coalesce(single_answers.few_people, false) as few_people,
    queries.regenerated_by,
    queries.sources,
    single_answers.deliveries
from queries
left join single_answers on queries.figure_id = single_answers.figure_id
