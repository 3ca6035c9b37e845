-- A partnership of several districts has what its districts have together, and no count while one
-- of them has none. Returns the figures that differ.

{{ config(meta={'dagster': {'ref': {'name': 'dim_area'}}}) }}

{%- set counts = [
    ('crime_monthly', 'offences', ['month', 'crime_type']),
    ('crime_trends', 'offences', ['crime_type', 'period_type', 'period_start']),
    ('offender_rates', 'offenders', ['period_type', 'period_start']),
    ('offender_profile', 'offenders', ['period_start', 'dimension', 'category']),
    ('offender_age_and_sex', 'offenders', ['period_start', 'age_group', 'sex']),
    ('offending_frequency', 'offenders', ['period_start', 'offences_band']),
    (
        'youth_offenders', 'young_people',
        ['period_type', 'period_start', 'cohort', 'dimension', 'category']
    ),
    ('iom_cohort', 'people', ['period_start', 'dimension', 'category']),
    (
        'need_pathways', 'identified',
        ['period_start', 'cohort', 'sex', 'offence_group', 'pathway']
    ),
    ('need_complexity', 'offenders', ['period_start', 'cohort', 'complexity']),
    ('probation_profile', 'people', ['period_start', 'cohort', 'dimension', 'category']),
    ('accommodation_need', 'offenders_with_need', ['period_start', 'cohort']),
    ('prison_release_accommodation', 'released', ['period_start', 'prison']),
    (
        'int_prison_releases__by_accommodation', 'released',
        ['period_start', 'prison', 'sex', 'accommodation']
    ),
    ('social_housing_stock', 'dwellings', ['stock_date', 'tenure']),
] %}

with figures as (

    {% for mart, measure, key in counts %}
    select
        area_code,
        area_type,
        '{{ mart }}' as mart,
        concat_ws(' ', {{ key | join(', ') }}) as figure,
        -- Several rows make one figure where a band of them is counted.
        case when count({{ measure }}) = count(*) then sum({{ measure }}) end::double as counted
    from {{ ref(mart) }}
    group by area_code, area_type, {{ key | join(', ') }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

sums as (

    select
        areas.partnership_code as area_code,
        figures.mart,
        figures.figure,
        case when count(figures.counted) = count(*) then sum(figures.counted) end as counted
    from figures
    inner join {{ ref('dim_area') }} as areas on figures.area_code = areas.area_code
    where
        areas.area_type = 'district'
        and areas.partnership_code <> areas.area_code
    group by areas.partnership_code, figures.mart, figures.figure

),

partnerships as (

    select
        area_code,
        mart,
        figure,
        counted
    from figures
    where area_type = 'partnership'

)

select
    coalesce(sums.area_code, partnerships.area_code) as area_code,
    coalesce(sums.mart, partnerships.mart) as mart,
    coalesce(sums.figure, partnerships.figure) as figure,
    partnerships.counted,
    sums.counted as sum_of_its_districts
from sums
full outer join partnerships
    on
        sums.area_code = partnerships.area_code
        and sums.mart = partnerships.mart
        and sums.figure = partnerships.figure
where
    (sums.counted is null) <> (partnerships.counted is null)
    -- Private-sector dwellings are fractional, and sums of them differ in their last digits.
    or abs(sums.counted - partnerships.counted) > 1e-6
