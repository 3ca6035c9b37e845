-- Counts of every crime type and of total crime, by month and by quarter, for districts,
-- partnerships of several districts and force areas. Total crime is all types but anti-social
-- behaviour, which is incidents. Every month from the first to the last in which the publisher used
-- the type has a row; the count is null where a file is missing.

with types as (

    select
        crime_type,
        min(first_month) as first_month,
        max(coalesce(last_month, date '9999-12-01')) as last_month
    from {{ ref('crime_types') }}
    group by crime_type
    union all
    select
        '{{ var("total_crime") }}' as crime_type,
        min(first_month) as first_month,
        date '9999-12-01' as last_month
    from {{ ref('crime_types') }}
    where crime_type <> '{{ var("incidents") }}'

),

areas as (

    select
        area_code,
        area_type,
        force_code
    from {{ ref('int_areas__listed') }}
    where area_type in ('district', 'partnership', 'force')

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
    where area_type in ('district', 'partnership')

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
    where area_type <> 'partnership'
    group by month, force_code, crime_type

),

counts_by_type as (

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

-- What moves between two types stays within their total, so its series does not break.
counts as (

    select
        month,
        area_code,
        crime_type,
        offences,
        is_after_break,
        delivery
    from counts_by_type
    union all
    select
        month,
        area_code,
        '{{ var("total_crime") }}' as crime_type,
        case when count(offences) = count(*) then sum(offences) end::bigint as offences,
        false as is_after_break,
        any_value(delivery) as delivery
    from counts_by_type
    where crime_type <> '{{ var("incidents") }}'
    group by month, area_code

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
        case
            when counts.offences is not null then null
            when counts.delivery is not null
                then 'records that may be of the area cannot be placed'
            else coalesce(gaps.reason, 'no file of the month has been loaded')
        end as missing_because,
        counts.delivery
    from {{ ref('int_months__spanned') }} as months
    cross join areas
    inner join types on months.month between types.first_month and types.last_month
    left join counts
        on
            months.month = counts.month
            and areas.area_code = counts.area_code
            and types.crime_type = counts.crime_type
    left join {{ ref('int_known_gaps__by_month') }} as gaps
        on months.month = gaps.month and areas.force_code = gaps.force_code

),

quarters as (

    select
        quarter,
        quarter_label,
        area_code,
        crime_type,
        case when count(offences) = 3 then sum(offences) end as offences,
        bool_or(is_after_break) as is_after_break,
        case
            when count(offences) < 3
                then coalesce(
                    string_agg(distinct missing_because, '; ' order by missing_because),
                    'the series has only a part of the quarter'
                )
        end as missing_because,
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
    missing_because,
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
    missing_because,
    delivery
from quarters
