-- Table 6: needs of assessed offenders whose main offence was acquisitive, all of them, men and
-- women, for the force's area, of the Community Rehabilitation Company's latest snapshot. Where
-- the sex of an assessed offender is not recorded, a fourth group holds them, so that the groups
-- add up to the total.

with needs as (

    select
        cohort,
        period_end,
        period_label,
        area_code,
        area_name,
        sex,
        pathway,
        assessed,
        answered,
        identified,
        deliveries
    from {{ ref('need_pathways') }}
    where cohort = 'CRC' and offence_group = 'Acquisitive' and area_type = 'force'

),

printed_sexes as (

    select
        sexes.sex,
        sexes.offenders_are,
        sexes.column_order
    from (
        values
        ('All', 'Total', 1),
        ('Male', 'Men', 2),
        ('Female', 'Women', 3),
        ('Not known', 'Not recorded', 4)
    ) as sexes (sex, offenders_are, column_order)

),

latest as (

    select
        needs.cohort,
        needs.period_end,
        needs.period_label,
        needs.area_code,
        needs.area_name,
        printed_sexes.offenders_are,
        printed_sexes.column_order,
        needs.pathway,
        needs.assessed,
        needs.answered,
        needs.identified,
        needs.deliveries
    from needs
    inner join printed_sexes on needs.sex = printed_sexes.sex
    -- The rows are force areas, so the latest of each is the latest of its force.
    qualify needs.period_end = max(needs.period_end) over (partition by needs.area_code)

),

shown as (

    select
        cohort,
        period_end,
        period_label,
        area_code,
        area_name,
        offenders_are,
        column_order,
        pathway,
        assessed,
        answered,
        identified,
        deliveries
    from latest
    where offenders_are <> 'Not recorded' or assessed > 0

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
        offenders_are,
        column_order,
        any_value(assessed) as offenders,
        null as base,
        any_value(deliveries) as deliveries
    from shown
    group by
        cohort, period_end, period_label, area_code, area_name, offenders_are, column_order
    union all
    select
        pathways.table_order as row_order,
        shown.pathway as row_label,
        shown.cohort,
        shown.period_end,
        shown.period_label,
        shown.area_code,
        shown.area_name,
        shown.offenders_are,
        shown.column_order,
        shown.identified as offenders,
        shown.answered as base,
        shown.deliveries
    from shown
    inner join {{ ref('oasys_pathways') }} as pathways on shown.pathway = pathways.title

)

select
    cohort,
    period_end,
    {{ period_key("'snapshot'", 'period_end') }} as period_key,
    period_label,
    area_code,
    area_name,
    row_order::integer as row_order,
    row_label as pathway,
    column_order::integer as column_order,
    offenders_are as offender_group,
    offenders,
    base,
    {{ rounded_percent('offenders', 'base') }}::integer as percent,
    {{ row_status(unavailable='false', not_applicable='coalesce(base, 0) = 0') }} as status,
    deliveries
from printed
