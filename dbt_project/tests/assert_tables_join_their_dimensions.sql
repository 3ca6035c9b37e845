-- Each row of a table finds one row of every dimension that it joins, by the keys that dimensions
-- declare (joined_by). Returns the keys that no dimension has; where a row would find several, the
-- key test of the dimension fails.

{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'dim_area'}}}) }}

{#- Named here, because dbt must know what to build before this test runs. tests/test_star.py
    compares the list with what is published. -#}
{%- set tables = [
    'accommodation_need', 'appendix_c_pathways', 'area_changes', 'area_parents', 'areas',
    'burglary_trends', 'characteristics_of_areas', 'crime_against_similar_areas',
    'crime_by_deprivation', 'crime_by_small_area', 'crime_by_ward_and_town',
    'crime_concentration', 'crime_counts_compared', 'crime_harm', 'crime_hot_spots',
    'crime_monthly', 'crime_outcomes', 'crime_outlook', 'crime_outlook_verdicts',
    'crime_priorities', 'crime_scanning', 'crime_seasonal', 'crime_trends', 'dim_area',
    'dim_cohort', 'dim_crime_type', 'dim_month', 'dim_offence_group', 'dim_pathway',
    'dim_period', 'figure_10_shoplifting', 'figure_11_burglary', 'figure_2_offender_profile',
    'figure_3_juvenile_offenders', 'figure_4_first_time_entrants', 'figure_5_nps_profile',
    'figure_6_accommodation_need', 'figure_6_prison_and_youth_need', 'figure_7_males_released',
    'figure_8_females_released', 'iom_cohort', 'need_complexity', 'need_pathways',
    'offender_age_and_sex', 'offender_profile', 'offender_rates', 'offending_frequency',
    'page_against_similar_areas', 'page_age_and_sex', 'page_crime_by_deprivation',
    'page_crime_map', 'page_hot_spots', 'page_outcomes', 'page_outlook', 'page_priorities',
    'page_prison_releases', 'page_scanning', 'page_similar_areas', 'page_stop_and_search',
    'populations', 'populations_by_age', 'prison_accommodation_need',
    'prison_release_accommodation', 'probation_profile', 'recorded_crime_by_csp',
    'shoplifting_trends', 'similar_areas', 'small_areas', 'social_housing_stock',
    'stop_and_search', 'supported_accommodation', 'survey_perceptions', 'survey_responses',
    'table_1_offender_rates', 'table_2_offending_frequency', 'table_3_oasys_pathways',
    'table_4_need_complexity', 'table_5_social_dwellings', 'table_6_acquisitive_pathways',
    'table_7_feel_safe', 'table_8_crime_asb_problem', 'youth_offenders'
] %}

{{ keys_without_dimension(tables) }}
