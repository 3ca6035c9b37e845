-- Figure 6: accommodation need by cohort, of each cohort's latest snapshot, for every area. The
-- printed figure is a picture; its youth cohort's assessments are not supplied.

with needs as (

    select
        cohort,
        period_end,
        period_label,
        area_code,
        area_name,
        csp,
        caseload,
        not_assessed,
        assessed,
        answered,
        offenders_with_need,
        proportion_lower,
        proportion_upper,
        compared_with_rest,
        status,
        deliveries
    from {{ ref('accommodation_need') }}

),

latest as (

    select
        cohort,
        period_end,
        period_label,
        area_code,
        area_name,
        csp,
        caseload,
        not_assessed,
        assessed,
        answered,
        offenders_with_need,
        proportion_lower,
        proportion_upper,
        compared_with_rest,
        status,
        deliveries,
        list_position(['CRC', 'NPS', 'CRC and NPS'], cohort) as cohort_order
    from needs
    qualify period_end = max(period_end) over (partition by cohort)

)

select
    latest.cohort,
    latest.cohort_order::integer as cohort_order,
    latest.period_end,
    latest.period_label,
    row_number() over (
        partition by latest.cohort
        order by areas.print_order
    )::integer as row_order,
    latest.area_code,
    latest.area_name,
    latest.csp,
    latest.caseload,
    latest.not_assessed,
    latest.assessed,
    latest.offenders_with_need,
    {{ rounded_percent('latest.offenders_with_need', 'latest.answered', 1) }} as percent,
    round(100 * latest.proportion_lower, 1) as percent_lower,
    round(100 * latest.proportion_upper, 1) as percent_upper,
    latest.compared_with_rest,
    latest.status,
    latest.deliveries
from latest
inner join {{ ref('int_probation_areas__listed') }} as areas on latest.area_code = areas.area_code
