-- Who was charged in a financial year: by sex, age at the first charge, ethnicity and category of
-- the first offence. Those not known have a row, and every share is given twice: of all
-- offenders, and of those with a known value of the dimension.

with categories as (

    select
        dimension,
        dimension_order,
        category,
        category_order,
        is_known
    from {{ ref('offender_profile_categories') }}

),

offenders as (

    select
        area_code,
        period_start,
        sex,
        age_group,
        ethnicity,
        first_offence_group
    from {{ ref('int_offenders__described') }}

),

described as (

    select
        area_code,
        period_start,
        'sex' as dimension,
        sex as category
    from offenders
    union all
    select
        area_code,
        period_start,
        'age group' as dimension,
        age_group as category
    from offenders
    union all
    select
        area_code,
        period_start,
        'ethnicity' as dimension,
        ethnicity as category
    from offenders
    union all
    select
        area_code,
        period_start,
        'first offence category' as dimension,
        first_offence_group as category
    from offenders

),

counted as (

    select
        area_code,
        period_start,
        dimension,
        category,
        count(*) as offenders
    from described
    group by area_code, period_start, dimension, category

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
        categories.dimension,
        categories.dimension_order,
        categories.category,
        categories.category_order,
        categories.is_known,
        coalesce(counted.offenders, 0) as offenders
    from {{ ref('int_offender_areas__periods') }} as periods
    cross join categories
    left join counted
        on
            periods.area_code = counted.area_code
            and periods.period_start = counted.period_start
            and categories.dimension = counted.dimension
            and categories.category = counted.category

),

with_bases as (

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
        dimension,
        dimension_order,
        category,
        category_order,
        is_known,
        offenders,
        sum(offenders) over whole as all_offenders,
        sum(offenders) filter (where is_known) over whole as known_offenders,
        case when is_known then offenders end as offenders_if_known
    from completed
    window whole as (partition by area_code, period_start, dimension)

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
    dimension,
    dimension_order,
    category,
    category_order,
    is_known,
    offenders::bigint as offenders,
    all_offenders::bigint as all_offenders,
    {{ percent('offenders', 'all_offenders') }} as percent_of_all,
    {{ percent_lower('offenders', 'all_offenders') }} as percent_of_all_lower,
    {{ percent_upper('offenders', 'all_offenders') }} as percent_of_all_upper,
    known_offenders::bigint as known_offenders,
    {{ percent('offenders_if_known', 'known_offenders') }} as percent_of_known,
    {{ percent_lower('offenders_if_known', 'known_offenders') }} as percent_of_known_lower,
    {{ percent_upper('offenders_if_known', 'known_offenders') }} as percent_of_known_upper,
    'percent of offenders' as unit,
    -- A share of nobody does not apply, nor has the row of those not known a share of the known.
    {{ row_status(unavailable='false', not_applicable='all_offenders = 0') }} as status,
    delivery as deliveries
from with_bases
order by period_start, print_order, dimension_order, category_order
