-- What the warehouse computes where the printed assessment contradicts itself: one text an
-- inconsistency, in the words of its recomputed value. Where one printed number is all that an
-- inconsistency concerns, its own query answers it and none is needed here.

{%- set models = [
    'accommodation_need', 'appendix_c_pathways', 'figure_2_offender_profile',
    'figure_3_juvenile_offenders', 'figure_5_nps_profile', 'offender_profile',
    'prison_accommodation_need', 'int_prison_releases__by_accommodation', 'probation_profile',
    'survey_perceptions', 'survey_responses', 'table_1_offender_rates',
    'table_2_offending_frequency', 'table_3_oasys_pathways', 'table_4_need_complexity',
    'table_5_social_dwellings', 'table_7_feel_safe', 'table_8_crime_asb_problem'
] %}
{%- set fenland = "area_name = 'Fenland'" %}
{%- set year = fenland ~ " and period_label = '2017/18'" %}
{%- set snapshot = "period_label = 'February 2017'" %}
{%- set released = "area_type = 'all' and sex = 'All' and accommodation = 'No accommodation'" %}
{%- set wave = "period_label = 'April to June 2018'" %}
{%- set feel_safe = ['very_safe', 'safe', 'unsafe', 'very_unsafe'] %}
{%- set problem = ['not_at_all', 'not_much', 'quite_a_problem', 'big_problem'] %}
{%- set feel_safe_previous = feel_safe | join('_previous + ') ~ '_previous' %}
{%- set problem_previous = problem | join('_previous + ') ~ '_previous' %}

{%- set queries = [
    (1, "select format('{:,.0f} to {:,.0f}', 1000 * offenders / (rate_per_1000 + 0.05),
        1000 * offenders / (rate_per_1000 - 0.05)) from {table_1_offender_rates}
        where " ~ fenland ~ " and period_label = '2012'"),
    (3, "select string_agg(period_label || ' ' || format('{:.1f}', rate_per_1000), ', '
        order by period_label) from {table_1_offender_rates}
        where " ~ fenland ~ " and period_type = 'calendar_year' and period_label <= '2016'"),
    (4, "select format('rate +{:.1f}%, count +{:.1f}%',
        100 * max(rate_per_1000) filter (where period_label = '2017/18')
        / max(rate_per_1000) filter (where period_label = '2016') - 100,
        100 * max(offenders) filter (where period_label = '2017/18')
        / max(offenders) filter (where period_label = '2016') - 100)
        from {table_1_offender_rates} where " ~ fenland),
    (5, "select status from {table_1_offender_rates} where " ~ year),
    (17, "select sum(round(100.0 * bands.offences / everyone.offenders))::integer || '%'
        from {table_2_offending_frequency} as bands
        inner join {table_2_offending_frequency} as everyone using (area_code, period_label)
        where everyone.number_of_offences = 'All' and bands." ~ year ~ "
        and try_cast(bands.number_of_offences as integer) is not null"),
    (19, "select sum(offenders)::varchar from {figure_2_offender_profile}
        where dimension = 'Age Group' and category <> 'Not known' and " ~ year),
    (23, "select format('{:.1f}% and {:.1f}% of the {} with known ethnicity',
        max(percent_of_known) filter (where category = 'White British'),
        max(percent_of_known) filter (where category = 'White: Other inc Irish'),
        max(known_offenders)) from {offender_profile} where dimension = 'ethnicity' and " ~ year),
    (29, "select format('+{:.1f}%',
        100 * max(juvenile_offenders) filter (where period_label = '2017/18')
        / max(juvenile_offenders) filter (where period_label = '2016') - 100)
        from {figure_3_juvenile_offenders} where " ~ fenland),
    (32, "select any_value(known)::varchar from {probation_profile} where cohort = 'CRC'
        and period_label = 'May 2018' and dimension = 'Accommodation status' and " ~ fenland),
    (35, "select string_agg(distinct caseload || ' (' || period_label || ')', ', '
        order by caseload || ' (' || period_label || ')')
        from {probation_profile} where cohort = 'CRC' and " ~ fenland),
    (36, "select sum(people)::varchar from {figure_5_nps_profile} where " ~ snapshot ~ "
        and dimension = 'Number of offenders'
        and area_name not in ('Cambridgeshire and Peterborough', 'Residence not stated')"),
    (37, "select sum(people) || ' of ' || any_value(base) from {figure_5_nps_profile}
        where dimension = 'Ethnicity' and area_name = 'Cambridgeshire and Peterborough'
        and " ~ snapshot),
    (60, "select assessed || ' assessed of ' || caseload from {accommodation_need}
        where cohort = 'NPS' and " ~ fenland ~ " and " ~ snapshot),
    (62, "select cohort from {accommodation_need} where caseload = 90 and " ~ fenland ~ "
        and " ~ snapshot),
    (63, "select string_agg(cohort || ' ' || offenders_with_need || '/' || assessed
        || format(' = {:.1f}%', 100 * proportion), '; ' order by cohort) from {accommodation_need}
        where cohort in ('CRC', 'NPS') and " ~ fenland ~ " and " ~ snapshot),
    (64, "select string_agg(area_name || format(' {:.2f}', needs / assessed), ', '
        order by column_order) from (select area_name, column_order,
        sum(offenders) filter (where row_order > 0) as needs,
        max(offenders) filter (where row_order = 0) as assessed
        from {table_3_oasys_pathways} where " ~ snapshot ~ " and csp is not null
        group by area_name, column_order)"),
    (65, "select percent || '%' from {appendix_c_pathways}
        where pathway = 'Thinking and Behaviour' and " ~ snapshot),
    (66, "select '0 needs = ' || max(offenders) filter (where assessed_needs = '0')
        || ', not assessed = ' || max(offenders) filter (where assessed_needs = 'Not assessed')
        from {table_4_need_complexity} where " ~ fenland ~ " and " ~ snapshot),
    (68, "select distinct area_name || ' ' || cohort || ' caseload, ' || period_label
        from {table_4_need_complexity} where " ~ fenland),
    (69, "select string_agg(distinct cohort, ', ') || ' only' from {table_3_oasys_pathways}"),
    (70, "select format('NPS {:.1f}%, CRC assessed {:.1f}%, both {:.1f}%', 100.0 * nps / nps_all,
        100.0 * crc / crc_all, 100.0 * (nps + crc) / (nps_all + crc_all)) from (select
        max(people) filter (where area_name = 'Location not recorded') as nps,
        max(people) filter (where area_name = 'Cambridgeshire and Peterborough') as nps_all
        from {figure_5_nps_profile} where dimension = 'Number of offenders' and " ~ snapshot ~ ")
        cross join (select
        max(offenders) filter (where area_name = 'Location not recorded') as crc,
        max(offenders) filter (where area_name = 'Cambridgeshire and Peterborough') as crc_all
        from {table_3_oasys_pathways} where row_order = 0 and " ~ snapshot ~ ")"),
    (71, "select string_agg(case cohort when 'CRC and NPS' then 'both' else cohort end
        || format(' {:.1f}%', 100.0 * not_assessed / caseload), ', '
        order by length(cohort), cohort) from {accommodation_need}
        where " ~ fenland ~ " and " ~ snapshot),
    (72, "select format('CRC {}/{} = {:.1f}%', crc, everyone, 100.0 * crc / everyone)
        from (select max(caseload) filter (where cohort = 'CRC') as crc,
        max(caseload) filter (where cohort = 'CRC and NPS') as everyone
        from {accommodation_need} where " ~ fenland ~ " and " ~ snapshot ~ ")"),
    (73, "select rate_per_1000::varchar from {table_5_social_dwellings}
        where stock_year = 2016 and area_name = 'Cambridgeshire and Peterborough'"),
    (75, "select string_agg(area_name || ' ' || local_authority, ', ' order by area_name)
        from {table_5_social_dwellings} where stock_year = 2016
        and local_authority between 1 and 99"),
    (77, "select case when assessed between 244 and 329 then '244..329 men of 559' end
        from {prison_accommodation_need} where period_label = '2017'
        and prison = 'HMP Peterborough' and sex = 'Male'"),
    (78, "select case when released between 195 and 198 then '195 to 198 people' end
        from {int_prison_releases__by_accommodation}
        where period_label = 'January to June 2017' and " ~ released),
    (79, "select case when released between 102 and 104 then '102 to 104 people' end
        from {int_prison_releases__by_accommodation}
        where period_label = 'July to December 2017' and " ~ released),
    (80, "select min(total) || '..' || max(total) from (
        select unnest([" ~ feel_safe | join(' + ') ~ ",
        " ~ feel_safe_previous ~ "]) as total from {table_7_feel_safe} where " ~ wave ~ "
        union all select unnest([" ~ problem | join(' + ') ~ ",
        " ~ problem_previous ~ "]) as total from {table_8_crime_asb_problem} where " ~ wave ~ ")"),
    (81, "select string_agg((feel." ~ feel_safe_previous | replace(' + ', ' + feel.') ~ ")::varchar,
        ',' order by feel.area_name) || ' (T7) and '
        || string_agg((problem." ~ problem_previous | replace(' + ', ' + problem.') ~ ")::varchar,
        ',' order by feel.area_name) || ' (T8)' from {table_7_feel_safe} as feel
        inner join {table_8_crime_asb_problem} as problem using (area_code, period_start)
        where feel." ~ wave),
    (82, "select case when sum(answer_count) > sum(previous_answer_count)
        then 'the percentage fell, the number rose' end from {survey_perceptions}
        where question = 'crime_asb_problem' and answer = 'Not at all' and area_type = 'town'
        and " ~ wave),
    (86, "select string_agg(format('+/-{:.1f} on {}', margin_points, responses), '; '
        order by responses desc) from {survey_responses}
        where area_name in ('Fenland', 'March') and " ~ wave),
    (92, "select offenders::varchar from {table_3_oasys_pathways}
        where row_order = 0 and area_name = 'Outside the force area' and " ~ snapshot)
] %}
{#- The only bases that the printed percentages of these districts allow. -#}
{%- for finding, district in [
    (52, 'Cambridge'), (53, 'East Cambridgeshire'), (54, 'Fenland'), (56, 'South Cambridgeshire')
] %}
    {%- do queries.append((finding, "select any_value(base)::varchar from {figure_5_nps_profile}
        where dimension = 'Pathways' and area_name = '" ~ district ~ "' and " ~ snapshot)) %}
{%- endfor %}
{#- Rows that the totals give away stand together. -#}
{%- for finding in [13, 14, 15, 16, 18] %}
    {%- do queries.append((finding, "select count(*) || ' row of 8 or more'
        from {table_2_offending_frequency} where (number_of_offences = '8 or more'
        or try_cast(number_of_offences as integer) >= 8) and " ~ year)) %}
{%- endfor %}

{#- Once a model, because each needs a walk through all its parents. -#}
{%- set behind = {} %}
{%- for model in models %}{% do behind.update({model: sources_behind(model)}) %}{% endfor %}

with answers as (
    {% for finding, query in queries %}
    {%- set asked = [] %}
    {%- set sources = [] %}
    {%- for model in models if '{' ~ model ~ '}' in query %}{% do asked.append(model) %}{% endfor %}
    {%- for model in asked %}{% do sources.append(behind[model]) %}{% endfor %}
    select
        {{ finding }} as inconsistency_id,
        (
            select string_agg(answer, ' / ')
            from ({{ executable_query(query, asked) }}) as asked (answer)
        ) as computed,
        {{ query_text(query, asked) }} as regenerated_by,
        {{ sources | join(' || ') }} as sources
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}

)

select
    inconsistency_id,
    computed,
    regexp_replace(regenerated_by, '\s+', ' ', 'g') as regenerated_by,
    sources
from answers
