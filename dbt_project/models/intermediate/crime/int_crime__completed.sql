-- Crime counts with their zeros: where a force's file for the month is in force, an area without
-- a record of a crime type that existed then had none. Months without a file stay absent. The
-- count of a district is unknown where rows that may be its own cannot be placed; they and its
-- other rows are then in the force's remainder, so that all areas but the partnerships of several
-- districts, whose counts are sums, add up to the rows of the file.

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

outside_doubted as (

    select distinct
        counted.month,
        counted.force_code || ':outside' as area_code
    from {{ ref('int_crime__counted') }} as counted
    inner join {{ ref('int_crime_strays__judged') }} as strays
        on
            counted.force_code = strays.force_code
            and counted.stray_code = strays.stray_code
            and counted.named_district is not distinct from strays.named_district
    where strays.may_be_outside and len(strays.possible_districts) > 0

),

-- What lies in a district that has ceased lies in its successor, which is not listed.
ceased as (

    select
        force_months.month,
        areas.area_code,
        areas.force_code
    from {{ ref('int_force_months__in_force') }} as force_months
    inner join {{ ref('int_crime_areas__listed') }} as areas
        on force_months.force_code = areas.force_code
    where areas.last_day < force_months.month

),

unknown as (

    select
        month,
        area_code
    from {{ ref('int_crime_districts__doubted') }}
    union
    select
        month,
        area_code
    from outside_doubted
    union
    select
        month,
        area_code
    from ceased

),

months_with_unplaced as (

    select
        month,
        force_code
    from {{ ref('int_crime_districts__doubted') }}
    union
    select
        month,
        force_code
    from ceased

),

expected as (

    select
        type_months.month,
        type_months.force_code,
        areas.area_code,
        type_months.crime_type
    from type_months
    inner join {{ ref('int_crime_areas__listed') }} as areas
        on type_months.force_code = areas.force_code
    left join months_with_unplaced
        on
            type_months.force_code = months_with_unplaced.force_code
            and type_months.month = months_with_unplaced.month
    where
        areas.area_type not in ('partnership', 'force')
        and (areas.area_type <> 'unplaced' or months_with_unplaced.month is not null)

),

placed as (

    select
        counted.month,
        counted.force_code,
        case
            when counted.stray_code is null then counted.area_code
            when len(strays.possible_districts) > 0 then counted.force_code || ':unplaced'
            else counted.force_code || ':outside'
        end as area_code,
        counted.crime_type,
        counted.offences
    from {{ ref('int_crime__counted') }} as counted
    left join {{ ref('int_crime_strays__judged') }} as strays
        on
            counted.force_code = strays.force_code
            and counted.stray_code = strays.stray_code
            and counted.named_district is not distinct from strays.named_district

),

counted as (

    select
        placed.month,
        placed.force_code,
        case
            when unknown.area_code is null then placed.area_code
            else placed.force_code || ':unplaced'
        end as area_code,
        placed.crime_type,
        sum(placed.offences)::bigint as offences
    from placed
    left join unknown
        on placed.month = unknown.month and placed.area_code = unknown.area_code
    group by all

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
    full outer join counted
        on
            expected.month = counted.month
            and expected.area_code = counted.area_code
            and expected.crime_type = counted.crime_type

),

described as (

    select
        counts.month,
        counts.force_code,
        counts.area_code,
        areas.area_type,
        counts.crime_type,
        case when unknown.area_code is null then counts.offences end as offences,
        unknown.area_code is not null as is_unknown,
        breaks.month is not null as is_after_break,
        force_months.delivery
    from counts
    inner join {{ ref('int_crime_areas__listed') }} as areas on counts.area_code = areas.area_code
    inner join {{ ref('int_force_months__in_force') }} as force_months
        on counts.force_code = force_months.force_code and counts.month = force_months.month
    left join unknown
        on counts.month = unknown.month and counts.area_code = unknown.area_code
    left join breaks
        on
            counts.force_code = breaks.force_code
            and counts.crime_type = breaks.crime_type
            and counts.month = breaks.month

),

partnerships as (

    select
        described.month,
        described.force_code,
        areas.partnership_code as area_code,
        'partnership' as area_type,
        described.crime_type,
        case when not bool_or(described.is_unknown) then sum(described.offences) end as offences,
        bool_or(described.is_unknown) as is_unknown,
        bool_or(described.is_after_break) as is_after_break,
        any_value(described.delivery) as delivery
    from described
    inner join {{ ref('int_areas__listed') }} as areas on described.area_code = areas.area_code
    where
        described.area_type = 'district'
        and areas.partnership_code <> areas.area_code
    group by
        described.month,
        described.force_code,
        areas.partnership_code,
        described.crime_type

)

select
    month,
    force_code,
    area_code,
    area_type,
    crime_type,
    offences,
    is_unknown,
    is_after_break,
    delivery
from described
union all
select
    month,
    force_code,
    area_code,
    area_type,
    crime_type,
    offences::bigint as offences,
    is_unknown,
    is_after_break,
    delivery
from partnerships
