-- Offenders of a financial year by age at the first charge and sex, with sums over each of the two.

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
    {{ period_key("'financial_year'", 'period_start') }} as period_key,
    'financial_year' as period_type,
    period_start,
    period_end,
    period_label,
    area_code,
    area_name,
    area_type,
    csp,
    age_group,
    age_order,
    sex,
    sex_order,
    offenders::bigint as offenders,
    all_offenders::bigint as all_offenders,
    {{ percent('offenders', 'all_offenders') }} as percent_of_all,
    {{ percent_lower('offenders', 'all_offenders') }} as percent_of_all_lower,
    {{ percent_upper('offenders', 'all_offenders') }} as percent_of_all_upper,
    'percent of offenders' as unit,
    {{ row_status(unavailable='false', not_applicable='all_offenders = 0') }} as status,
    delivery as deliveries
from with_whole
order by period_start, print_order, age_order, sex_order
