-- Crime counts with their noughts: where a force's file for the month is in force, an area without
-- a record of a crime type that existed then had none. Months without a file stay absent.

with type_months as (

    select
        force_months.force_code,
        force_months.month,
        force_months.delivery,
        types.crime_type,
        types.first_month as content_since,
        types.breaks_series
    from {{ ref('int_force_months__in_force') }} as force_months
    inner join {{ ref('crime_types') }} as types
        on
            force_months.month >= types.first_month
            and (force_months.month <= types.last_month or types.last_month is null)

),

-- The break shows at the first month with a file, which need not be the month of the change, and
-- only where the series has anything before it.
contents as (

    select
        force_code,
        crime_type,
        content_since,
        breaks_series,
        min(month) as first_month_with_file
    from type_months
    group by force_code, crime_type, content_since, breaks_series

),

breaks as (

    select
        later.force_code,
        later.crime_type,
        later.first_month_with_file as month
    from contents as later
    where
        later.breaks_series
        and exists (
            select 1
            from contents as earlier
            where
                earlier.force_code = later.force_code
                and earlier.crime_type = later.crime_type
                and earlier.content_since < later.content_since
        )

),

expected as (

    select
        type_months.month,
        type_months.force_code,
        areas.area_code,
        type_months.crime_type
    from type_months
    inner join {{ ref('int_areas__listed') }} as areas
        on type_months.force_code = areas.force_code
    where areas.area_type <> 'force'

),

-- A type that is published outside its months is counted all the same.
counts as (

    select
        coalesce(expected.month, counted.month) as month,
        coalesce(expected.force_code, counted.force_code) as force_code,
        coalesce(expected.area_code, counted.area_code) as area_code,
        coalesce(expected.crime_type, counted.crime_type) as crime_type,
        coalesce(counted.offences, 0) as offences
    from expected
    full outer join {{ ref('int_crime__counted') }} as counted
        on
            expected.month = counted.month
            and expected.area_code = counted.area_code
            and expected.crime_type = counted.crime_type

)

select
    counts.month,
    counts.force_code,
    counts.area_code,
    areas.area_type,
    counts.crime_type,
    counts.offences,
    breaks.month is not null as is_after_break,
    force_months.delivery
from counts
inner join {{ ref('int_areas__listed') }} as areas on counts.area_code = areas.area_code
inner join {{ ref('int_force_months__in_force') }} as force_months
    on counts.force_code = force_months.force_code and counts.month = force_months.month
left join breaks
    on
        counts.force_code = breaks.force_code
        and counts.crime_type = breaks.crime_type
        and counts.month = breaks.month
