-- Figure 6: accommodation need by cohort, of each cohort's latest snapshot, for every area.
-- Prisoners and young people are in figure_6_prison_and_youth_need.

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
        needs.cohort,
        needs.period_end,
        needs.period_label,
        needs.area_code,
        needs.area_name,
        needs.csp,
        needs.caseload,
        needs.not_assessed,
        needs.assessed,
        needs.answered,
        needs.offenders_with_need,
        needs.proportion_lower,
        needs.proportion_upper,
        needs.compared_with_rest,
        needs.status,
        needs.deliveries,
        list_position(['CRC', 'NPS', 'CRC and NPS'], needs.cohort) as cohort_order
    from needs
    inner join {{ ref('int_probation_areas__listed') }} as areas
        on needs.area_code = areas.area_code
    qualify
        needs.period_end = max(needs.period_end) over (partition by areas.force_code, needs.cohort)

)

select
    latest.cohort,
    latest.cohort_order::integer as cohort_order,
    latest.period_end,
    {{ period_key("'snapshot'", 'latest.period_end') }} as period_key,
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
    latest.answered,
    latest.offenders_with_need,
    {{ rounded_percent('latest.offenders_with_need', 'latest.answered', 1) }} as percent,
    round(100 * latest.proportion_lower, 1) as percent_lower,
    round(100 * latest.proportion_upper, 1) as percent_upper,
    latest.compared_with_rest,
    latest.status,
    latest.deliveries
from latest
inner join {{ ref('int_probation_areas__listed') }} as areas on latest.area_code = areas.area_code
