-- Prisoners assessed, and those with an accommodation need linked to their offending, by prison,
-- by group of prisons and by sex. Who was not assessed is in neither number.

with figures as (

    select
        prisons.prison_group,
        figures.prison,
        figures.period_start,
        figures.period_end,
        figures.sex,
        areas.area_code,
        areas.area_name,
        areas.area_type,
        areas.csp,
        figures.measure,
        figures.people,
        figures.delivery
    from {{ ref('stg_prison_releases__figures') }} as figures
    inner join {{ ref('int_prisons__listed') }} as prisons on figures.prison = prisons.prison
    inner join {{ ref('int_areas__listed') }} as areas
        on
            prisons.force_code = areas.area_code
            and areas.area_type = 'force'
    where figures.statement = 'accommodation need'

),

by_prison as (

    select
        -- A group of one prison is that prison.
        unnest(list_distinct([prison, prison_group])) as prison,
        prison_group,
        period_start,
        period_end,
        sex,
        area_code,
        area_name,
        area_type,
        csp,
        measure,
        people,
        delivery
    from figures

),

by_sex as (

    select
        prison,
        prison_group,
        period_start,
        period_end,
        unnest([sex, 'All']) as sex,
        area_code,
        area_name,
        area_type,
        csp,
        measure,
        people,
        delivery
    from by_prison

),

assessments as (

    select
        prison,
        prison_group,
        area_code,
        area_name,
        area_type,
        csp,
        period_start,
        period_end,
        sex,
        sum(people) filter (where measure = 'Assessed')::bigint as assessed,
        sum(people) filter (where measure = 'With accommodation need')::bigint as with_need,
        {{ all_deliveries('delivery') }} as deliveries
    from by_sex
    group by
        prison,
        prison_group,
        area_code,
        area_name,
        area_type,
        csp,
        period_start,
        period_end,
        sex

)

select
    prison,
    prison_group,
    prison = prison_group as is_group,
    area_code,
    area_name,
    area_type,
    csp,
    {{ period_key(period_type_of('period_start', 'period_end'), 'period_start') }} as period_key,
    {{ period_type_of('period_start', 'period_end') }} as period_type,
    period_start,
    period_end,
    {{ period_label_of('period_start', 'period_end') }} as period_label,
    sex,
    with_need,
    assessed,
    {{ proportion('with_need', 'assessed') }} as proportion,
    {{ proportion_lower('with_need', 'assessed') }} as proportion_lower,
    {{ proportion_upper('with_need', 'assessed') }} as proportion_upper,
    'proportion of prisoners assessed' as unit,
    {{ row_status(unavailable='assessed is null', not_applicable='assessed = 0') }} as status,
    deliveries
from assessments
