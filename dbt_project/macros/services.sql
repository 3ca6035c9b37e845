{#- What the extracts of youth offending services, prisons and offender management share. -#}

{#- Label of the recorded sex. -#}
{% macro sex_label(code) -%}
    case {{ code }} when 'M' then 'Male' when 'F' then 'Female' else 'Not recorded' end
{%- endmacro %}

{#- Where someone is counted: the district if it is served, else one of the force's remainders.
    `listed` is the district's code where it is one of the force's, null where it is not. -#}
{% macro placed_area(district_code, listed, force_code) -%}
    case
        when {{ listed }} is not null then {{ listed }}
        when {{ district_code }} is null then {{ force_code }} || ':unlocated'
        else {{ force_code }} || ':outside'
    end
{%- endmacro %}

{#- First day of the financial year that holds a day. -#}
{% macro financial_year_start(day) -%}
    (date_trunc('year', {{ day }} - interval 3 month) + interval 3 month)::date
{%- endmacro %}

{#- What kind of period runs from one day to another; other where it has no name. -#}
{% macro period_type_of(first_day, last_day) -%}
    case
        when {{ first_day }} = {{ last_day }} then 'snapshot'
        when {{ last_day }} = {{ first_day }} + interval 3 month - interval 1 day then 'quarter'
        when {{ last_day }} = {{ first_day }} + interval 6 month - interval 1 day then 'half_year'
        when
            {{ last_day }} = {{ first_day }} + interval 1 year - interval 1 day
            and month({{ first_day }}) = 1
            then 'calendar_year'
        when
            {{ last_day }} = {{ first_day }} + interval 1 year - interval 1 day
            and month({{ first_day }}) = 4
            then 'financial_year'
        else 'other'
    end
{%- endmacro %}

{#- Name of a period, such as January to June 2017, 30 June 2018, 2017 and 2017/18. -#}
{% macro period_label_of(first_day, last_day) -%}
    case {{ period_type_of(first_day, last_day) }}
        when 'snapshot' then strftime({{ first_day }}, '%-d %B %Y')
        when 'quarter' then {{ quarter_label(first_day) }}
        when 'calendar_year' then strftime({{ first_day }}, '%Y')
        when 'financial_year' then {{ financial_year_label(first_day) }}
        when 'half_year'
            then strftime({{ first_day }}, '%B') || ' to ' || strftime({{ last_day }}, '%B %Y')
        else
            strftime({{ first_day }}, '%-d %B %Y')
            || ' to ' || strftime({{ last_day }}, '%-d %B %Y')
    end
{%- endmacro %}

{#- Figures 7 and 8, which differ by sex alone: one row an area of release, a column a kind of
    accommodation. -#}
{% macro prison_releases(sex) -%}
with releases as (

    select
        prison,
        area_code,
        area_name,
        area_type,
        csp,
        period_type,
        period_start,
        period_end,
        period_label,
        max(released) filter (where accommodation = 'No accommodation') as no_accommodation,
        max(released) filter (where accommodation = 'No address arranged') as no_address_arranged,
        max(released) filter (where accommodation = 'No fixed abode') as no_fixed_abode,
        max(released) filter (where accommodation = 'All releases') as released,
        any_value(deliveries) as deliveries
    from {{ ref('int_prison_releases__by_accommodation') }}
    where
        sex = '{{ sex }}'
        and area_type in ('force', 'all')
    group by
        prison,
        area_code,
        area_name,
        area_type,
        csp,
        period_type,
        period_start,
        period_end,
        period_label

)

select
    {{ period_key('releases.period_type', 'releases.period_start') }} as period_key,
    releases.prison,
    releases.area_code,
    releases.area_name,
    releases.area_type,
    releases.csp,
    releases.period_type,
    releases.period_start,
    releases.period_end,
    releases.period_label,
    years.year_start,
    releases.no_accommodation,
    releases.no_address_arranged,
    releases.no_fixed_abode,
    releases.released,
    {{ proportion('releases.no_fixed_abode', 'releases.released') }} as proportion,
    {{ proportion_lower('releases.no_fixed_abode', 'releases.released') }} as proportion_lower,
    {{ proportion_upper('releases.no_fixed_abode', 'releases.released') }} as proportion_upper,
    'proportion of people released that had no fixed abode' as unit,
    {{ row_status(unavailable='false', not_applicable='releases.released = 0') }} as status,
    releases.deliveries
from releases
left join {{ ref('int_prison_years__whole') }} as years
    on
        releases.prison = years.prison
        and releases.period_start = years.period_start
{%- endmacro %}

{#- Name of a group of prisoners, as figure 6 has it. -#}
{% macro prison_cohort(prison_group, sex) -%}
    case {{ sex }}
        when 'Male' then {{ prison_group }} || ', men'
        when 'Female' then {{ prison_group }} || ', women'
        else {{ prison_group }}
    end
{%- endmacro %}
