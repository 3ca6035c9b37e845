-- Figure 6, prisoners and young people: share of those assessed who have an accommodation need.
-- Each cohort is assessed in its own way and over its own period. Who was not assessed has no place
-- here.

with prisoners as (

    select
        {{ prison_cohort('prison', 'sex') }} as cohort,
        area_code,
        area_name,
        csp,
        period_type,
        period_start,
        period_end,
        period_label,
        with_need,
        assessed,
        deliveries
    from {{ ref('prison_accommodation_need') }}
    where is_group

),

young_people as (

    select
        'Youth offending services' as cohort,
        area_code,
        area_name,
        csp,
        period_type,
        period_start,
        period_end,
        period_label,
        sum(young_people) filter (where category = 'Identified') as with_need,
        sum(young_people) filter (where category in ('Identified', 'Not identified')) as assessed,
        any_value(deliveries) as deliveries
    from {{ ref('youth_offenders') }}
    where
        cohort = 'registered'
        and dimension = 'accommodation need'
        and period_type = 'calendar_year'
        and area_type in ('district', 'partnership', 'force')
    group by
        area_code,
        area_name,
        csp,
        period_type,
        period_start,
        period_end,
        period_label

),

cohorts as (

    select
        cohort,
        area_code,
        area_name,
        csp,
        period_type,
        period_start,
        period_end,
        period_label,
        with_need,
        assessed,
        deliveries
    from prisoners
    union all
    select
        cohort,
        area_code,
        area_name,
        csp,
        period_type,
        period_start,
        period_end,
        period_label,
        with_need,
        assessed,
        deliveries
    from young_people

)

select
    cohort,
    area_code,
    area_name,
    csp,
    period_type,
    period_start,
    period_end,
    period_label,
    with_need::bigint as with_need,
    assessed::bigint as assessed,
    {{ proportion('with_need', 'assessed') }} as proportion,
    {{ proportion_lower('with_need', 'assessed') }} as proportion_lower,
    {{ proportion_upper('with_need', 'assessed') }} as proportion_upper,
    'proportion of those assessed' as unit,
    {{ row_status(unavailable='assessed is null', not_applicable='assessed = 0') }} as status,
    deliveries
from cohorts
