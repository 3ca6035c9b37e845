-- The months that small areas are compared in, for each force and crime type in use: those with a
-- file among the twelve to the force's last month, and the same months a year before, where each of
-- them has a file and the content of the type did not change.

with type_months as (

    select
        force_code,
        crime_type,
        month,
        bool_or(is_after_break) as is_after_break,
        any_value(delivery) as delivery
    from {{ ref('int_crime__completed') }}
    where area_type = 'district'
    group by force_code, crime_type, month
    union all
    select
        force_code,
        '{{ var("total_crime") }}' as crime_type,
        month,
        false as is_after_break,
        any_value(delivery) as delivery
    from {{ ref('int_crime__completed') }}
    where area_type = 'district'
    group by force_code, month

),

last_months as (

    select
        force_code,
        max(month) as last_month
    from type_months
    group by force_code

),

latest as (

    select
        type_months.force_code,
        type_months.crime_type,
        type_months.month,
        type_months.is_after_break,
        type_months.delivery,
        last_months.last_month
    from type_months
    inner join last_months on type_months.force_code = last_months.force_code
    where
        type_months.month > last_months.last_month - interval 12 month
        and (type_months.force_code, type_months.crime_type) in (
            select (in_use.force_code, in_use.crime_type)
            from type_months as in_use
            inner join last_months as lasts
                on in_use.force_code = lasts.force_code and in_use.month = lasts.last_month
        )

),

-- Null where the month a year before has no file.
paired as (

    select
        latest.force_code,
        latest.crime_type,
        latest.month,
        latest.delivery,
        latest.last_month,
        before.month as month_before,
        before.delivery as delivery_before,
        bool_and(before.month is not null) over of_type
        and not bool_or(latest.is_after_break) over of_type
        and not bool_or(coalesce(before.is_after_break, false)) over of_type as is_comparable
    from latest
    left join type_months as before
        on
            latest.force_code = before.force_code
            and latest.crime_type = before.crime_type
            and latest.month = before.month + interval 12 month
    window of_type as (partition by latest.force_code, latest.crime_type)

)

select
    force_code,
    crime_type,
    'latest' as period,
    month,
    last_month,
    delivery
from paired
union all
select
    force_code,
    crime_type,
    'year before' as period,
    month_before as month,
    last_month,
    delivery_before as delivery
from paired
where is_comparable
