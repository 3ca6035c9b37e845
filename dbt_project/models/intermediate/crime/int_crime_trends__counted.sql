-- Counts of the crime types with a trend, by month and by quarter, for districts and force areas.
-- Every month of the span has a row; the count is null where a file is missing.

with types as (

    select
        crime_type,
        min(first_month) as first_month
    from {{ ref('crime_types') }}
    where
        crime_type in (
            {%- for crime_type in var('trend_crime_types') %}
            '{{ crime_type }}'{{ ',' if not loop.last }}
            {%- endfor %}
        )
    group by crime_type

),

areas as (

    select
        area_code,
        area_type,
        force_code
    from {{ ref('int_areas__listed') }}
    where area_type in ('district', 'force')

),

district_counts as (

    select
        month,
        area_code,
        crime_type,
        offences,
        is_after_break,
        delivery
    from {{ ref('int_crime__completed') }}
    where area_type = 'district'

),

-- A force's count is everything that it reported, with or without a place in its area.
force_counts as (

    select
        month,
        force_code as area_code,
        crime_type,
        sum(offences)::bigint as offences,
        bool_or(is_after_break) as is_after_break,
        any_value(delivery) as delivery
    from {{ ref('int_crime__completed') }}
    group by month, force_code, crime_type

),

counts as (

    select
        month,
        area_code,
        crime_type,
        offences,
        is_after_break,
        delivery
    from district_counts
    union all
    select
        month,
        area_code,
        crime_type,
        offences,
        is_after_break,
        delivery
    from force_counts

),

months as (

    select
        months.month,
        months.month_label,
        months.month_end,
        months.quarter,
        months.quarter_label,
        areas.area_code,
        types.crime_type,
        counts.offences,
        coalesce(counts.is_after_break, false) as is_after_break,
        counts.delivery
    from {{ ref('int_months__spanned') }} as months
    cross join areas
    inner join types on months.month >= types.first_month
    left join counts
        on
            months.month = counts.month
            and areas.area_code = counts.area_code
            and types.crime_type = counts.crime_type

),

quarters as (

    select
        quarter,
        quarter_label,
        area_code,
        crime_type,
        case when count(offences) = 3 then sum(offences) end as offences,
        bool_or(is_after_break) as is_after_break,
        {{ all_deliveries('delivery') }} as delivery
    from months
    group by quarter, quarter_label, area_code, crime_type

)

select
    area_code,
    crime_type,
    'month' as period_type,
    month as period_start,
    month_end as period_end,
    month_label as period_label,
    -- Counts periods without a hole, so that neighbours differ by one.
    (year(month) * 12 + month(month))::integer as period_number,
    offences,
    is_after_break,
    delivery
from months
union all
select
    area_code,
    crime_type,
    'quarter' as period_type,
    quarter as period_start,
    last_day((quarter + interval 2 month)::date) as period_end,
    quarter_label as period_label,
    (year(quarter) * 4 + quarter(quarter))::integer as period_number,
    offences::bigint as offences,
    is_after_break,
    delivery
from quarters
