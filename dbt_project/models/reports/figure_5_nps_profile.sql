-- Figure 5: profile of the National Probation Service's cohort at its latest snapshot, by area.
-- Shares are of the caseload, and for pathways of those assessed with an answer.

with profile as (

    select
        cohort,
        period_end,
        period_label,
        area_code,
        area_name,
        csp,
        dimension,
        category,
        people,
        caseload,
        deliveries
    from {{ ref('probation_profile') }}
    where cohort = 'NPS'

),

needs as (

    select
        cohort,
        period_end,
        period_label,
        area_code,
        area_name,
        csp,
        pathway,
        identified,
        answered,
        deliveries
    from {{ ref('need_pathways') }}
    where cohort = 'NPS' and sex = 'All' and offence_group = 'All'

),

latest_profile as (

    select
        profile.cohort,
        profile.period_end,
        profile.period_label,
        profile.area_code,
        profile.area_name,
        profile.csp,
        profile.dimension,
        profile.category,
        profile.people,
        profile.caseload,
        profile.deliveries,
        categories.dimension_order,
        categories.category_order,
        categories.in_figure_5
    from profile
    inner join {{ ref('probation_categories') }} as categories
        on
            profile.dimension = categories.dimension
            and profile.category = categories.category
    inner join {{ ref('int_probation_areas__listed') }} as areas
        on profile.area_code = areas.area_code
    qualify {{ is_latest_period_of_force('profile', 'areas') }}

),

latest_needs as (

    select
        needs.cohort,
        needs.period_end,
        needs.period_label,
        needs.area_code,
        needs.area_name,
        needs.csp,
        needs.pathway,
        needs.identified,
        needs.answered,
        needs.deliveries
    from needs
    inner join {{ ref('int_probation_areas__listed') }} as areas
        on needs.area_code = areas.area_code
    qualify {{ is_latest_period_of_force('needs', 'areas') }}

),

figure as (

    select
        cohort,
        period_end,
        period_label,
        area_code,
        area_name,
        csp,
        0 as dimension_order,
        'Number of offenders' as dimension,
        0 as category_order,
        'Number of offenders' as category,
        any_value(caseload) as people,
        null as base,
        any_value(deliveries) as deliveries
    from latest_profile
    group by cohort, period_end, period_label, area_code, area_name, csp
    union all
    select
        cohort,
        period_end,
        period_label,
        area_code,
        area_name,
        csp,
        dimension_order,
        dimension,
        category_order,
        category,
        people,
        caseload as base,
        deliveries
    from latest_profile
    where in_figure_5
    union all
    select
        needs.cohort,
        needs.period_end,
        needs.period_label,
        needs.area_code,
        needs.area_name,
        needs.csp,
        -- Printed after the offence category.
        6 as dimension_order,
        'Pathways' as dimension,
        100 + pathways.figure_order as category_order,
        needs.pathway as category,
        needs.identified as people,
        needs.answered as base,
        needs.deliveries
    from latest_needs as needs
    inner join {{ ref('oasys_pathways') }} as pathways on needs.pathway = pathways.title

)

select
    figure.cohort,
    figure.period_end,
    {{ period_key("'snapshot'", 'figure.period_end') }} as period_key,
    figure.period_label,
    dense_rank() over (
        order by figure.dimension_order, figure.category_order
    )::integer as row_order,
    figure.dimension,
    figure.category,
    areas.print_order as column_order,
    figure.area_code,
    figure.area_name,
    figure.csp,
    figure.people,
    figure.base,
    {{ rounded_percent('figure.people', 'figure.base') }}::integer as percent,
    {{ row_status(unavailable='false', not_applicable='coalesce(figure.base, 0) = 0') }} as status,
    figure.deliveries
from figure
inner join {{ ref('int_probation_areas__listed') }} as areas on figure.area_code = areas.area_code
