-- Table 3: completed assessments and needs by pathway and area, of the Community Rehabilitation
-- Company's latest snapshot. The report prints areas side by side; here each is a row.

with needs as (

    select
        cohort,
        period_end,
        period_label,
        area_code,
        area_name,
        csp,
        pathway,
        assessed,
        answered,
        identified,
        deliveries
    from {{ ref('need_pathways') }}
    where cohort = 'CRC' and sex = 'All' and offence_group = 'All'

),

latest as (

    select
        needs.cohort,
        needs.period_end,
        needs.period_label,
        needs.area_code,
        needs.area_name,
        needs.csp,
        needs.pathway,
        needs.assessed,
        needs.answered,
        needs.identified,
        needs.deliveries
    from needs
    inner join {{ ref('int_probation_areas__listed') }} as areas
        on needs.area_code = areas.area_code
    qualify {{ is_latest_period_of_force('needs', 'areas') }}

),

-- The printed table has a first row of completed assessments.
printed as (

    select
        0 as row_order,
        '{{ assessments_row() }}' as row_label,
        cohort,
        period_end,
        period_label,
        area_code,
        area_name,
        csp,
        any_value(assessed) as offenders,
        null as base,
        any_value(deliveries) as deliveries
    from latest
    group by cohort, period_end, period_label, area_code, area_name, csp
    union all
    select
        pathways.table_order as row_order,
        latest.pathway as row_label,
        latest.cohort,
        latest.period_end,
        latest.period_label,
        latest.area_code,
        latest.area_name,
        latest.csp,
        latest.identified as offenders,
        latest.answered as base,
        latest.deliveries
    from latest
    inner join {{ ref('oasys_pathways') }} as pathways on latest.pathway = pathways.title

)

select
    printed.cohort,
    printed.period_end,
    {{ period_key("'snapshot'", 'printed.period_end') }} as period_key,
    printed.period_label,
    printed.row_order::integer as row_order,
    printed.row_label as pathway,
    row_number() over (
        partition by printed.row_order
        order by areas.print_order
    )::integer as column_order,
    printed.area_code,
    printed.area_name,
    printed.csp,
    printed.offenders,
    printed.base,
    {{ rounded_percent('printed.offenders', 'printed.base', 1) }} as percent,
    {{ row_status(unavailable='false', not_applicable='coalesce(printed.base, 0) = 0') }} as status,
    printed.deliveries
from printed
inner join {{ ref('int_probation_areas__listed') }} as areas on printed.area_code = areas.area_code
