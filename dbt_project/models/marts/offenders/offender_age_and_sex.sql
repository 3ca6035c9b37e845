-- Offenders of a financial year by age at the first charge and sex, with sums over each of the two,
-- and per 1,000 people of that age and sex.

with ages as (

    select
        category as age_group,
        category_order as age_order
    from {{ ref('offender_profile_categories') }}
    where dimension = 'age group'
    union all
    select
        'All' as age_group,
        0 as age_order

),

sexes as (

    select
        category as sex,
        category_order as sex_order
    from {{ ref('offender_profile_categories') }}
    where dimension = 'sex'
    union all
    select
        'All' as sex,
        0 as sex_order

),

counted as (

    select
        area_code,
        period_start,
        coalesce(age_group, 'All') as age_group,
        coalesce(sex, 'All') as sex,
        count(*) as offenders
    from {{ ref('int_offenders__described') }}
    group by
        area_code,
        period_start,
        cube(age_group, sex)

),

completed as (

    select
        periods.period_start,
        periods.period_end,
        periods.period_label,
        periods.area_code,
        periods.area_name,
        periods.area_type,
        periods.csp,
        periods.print_order,
        periods.delivery,
        ages.age_group,
        ages.age_order,
        sexes.sex,
        sexes.sex_order,
        coalesce(counted.offenders, 0) as offenders
    from {{ ref('int_offender_areas__periods') }} as periods
    cross join ages
    cross join sexes
    left join counted
        on
            periods.area_code = counted.area_code
            and periods.period_start = counted.period_start
            and ages.age_group = counted.age_group
            and sexes.sex = counted.sex
    where periods.area_type in ('district', 'partnership', 'force')

),

with_whole as (

    select
        period_start,
        period_end,
        period_label,
        area_code,
        area_name,
        area_type,
        csp,
        print_order,
        delivery,
        age_group,
        age_order,
        sex,
        sex_order,
        offenders,
        max(offenders) filter (where age_group = 'All' and sex = 'All') over (
            partition by area_code, period_start
        ) as all_offenders
    from completed

)

select
    {{ period_key("'financial_year'", 'with_whole.period_start') }} as period_key,
    'financial_year' as period_type,
    with_whole.period_start,
    with_whole.period_end,
    with_whole.period_label,
    with_whole.area_code,
    with_whole.area_name,
    with_whole.area_type,
    with_whole.csp,
    with_whole.age_group,
    with_whole.age_order,
    with_whole.sex,
    with_whole.sex_order,
    with_whole.offenders::bigint as offenders,
    with_whole.all_offenders::bigint as all_offenders,
    {{ percent('with_whole.offenders', 'with_whole.all_offenders') }} as percent_of_all,
    {{ percent_lower('with_whole.offenders', 'with_whole.all_offenders') }}
        as percent_of_all_lower,
    {{ percent_upper('with_whole.offenders', 'with_whole.all_offenders') }}
        as percent_of_all_upper,
    'percent of offenders' as unit,
    populations.population,
    populations.mid_year as population_mid_year,
    {{ rate_per_1000('with_whole.offenders', 'populations.population') }} as rate_per_1000,
    {{ rate_lower('with_whole.offenders', 'populations.population', 'exact') }} as rate_lower,
    {{ rate_upper('with_whole.offenders', 'populations.population', 'exact') }} as rate_upper,
    {{ row_status(
        not_applicable="with_whole.age_group = 'Not known' or with_whole.sex = 'Not known'",
        unavailable='nullif(populations.population, 0) is null',
        carried='populations.is_carried_forward'
    ) }} as rate_per_1000_status,
    {{ row_status(unavailable='false', not_applicable='with_whole.all_offenders = 0') }} as status,
    {{ joined_deliveries('with_whole.delivery', 'populations.delivery') }} as deliveries
from with_whole
left join {{ ref('int_populations_by_age__grouped') }} as populations
    on
        with_whole.area_code = populations.area_code
        and year(with_whole.period_start) = populations.calendar_year
        and with_whole.age_group = populations.age_group
        and with_whole.sex = populations.sex
left join {{ ref('poisson_exact_limits') }} as exact on with_whole.offenders = exact.offences
order by
    with_whole.period_start,
    with_whole.print_order,
    with_whole.age_order,
    with_whole.sex_order
