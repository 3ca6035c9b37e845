-- Figure 2: the profile of offenders, headed by all of them, with the share of all as printed and
-- the share of those known beside it.

with profile as (

    select
        period_start,
        period_label,
        area_code,
        area_name,
        area_type,
        csp,
        dimension,
        dimension_order,
        category,
        category_order,
        offenders,
        all_offenders,
        percent_of_all,
        percent_of_known,
        case when percent_of_known is null then '[z]' end as percent_of_known_status,
        status,
        deliveries
    from {{ ref('offender_profile') }}
    where area_type in ('district', 'partnership', 'force')

),

printed as (

    select distinct
        period_start,
        period_label,
        area_code,
        area_name,
        csp,
        0 as dimension_order,
        'All' as dimension,
        0 as category_order,
        'All offenders' as category,
        all_offenders as offenders,
        null::double as percent_of_all,
        null::double as percent_of_known,
        '[z]' as percent_of_known_status,
        -- The whole is no share of itself.
        '[z]' as status,
        deliveries
    from profile
    union all
    select
        period_start,
        period_label,
        area_code,
        area_name,
        csp,
        dimension_order,
        case dimension
            when 'sex' then 'Gender'
            when 'age group' then 'Age Group'
            when 'ethnicity' then 'Ethnicity'
            else 'Offence category'
        end as dimension,
        category_order,
        category,
        offenders,
        percent_of_all,
        percent_of_known,
        percent_of_known_status,
        status,
        deliveries
    from profile

)

select
    period_start,
    {{ period_key("'financial_year'", 'period_start') }} as period_key,
    period_label,
    area_code,
    area_name,
    csp,
    row_number() over (
        partition by area_code, period_start
        order by dimension_order, category_order
    )::integer as row_order,
    dimension,
    category,
    offenders,
    round(percent_of_all)::integer as percent_of_all,
    round(percent_of_known)::integer as percent_of_known,
    percent_of_known_status,
    status,
    deliveries
from printed
order by period_start, area_code, row_order
