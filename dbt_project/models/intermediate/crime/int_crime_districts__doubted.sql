-- District months of which the count is not known: no lookup holds small areas of the district, or
-- rows of the month may lie in it and no lookup places them.

with force_months as (

    select
        force_code,
        month
    from {{ ref('int_force_months__in_force') }}

),

possible as (

    select
        counted.month,
        strays.force_code,
        unnest(strays.possible_districts) as area_code,
        counted.offences
    from {{ ref('int_crime_strays__judged') }} as strays
    inner join {{ ref('int_crime__counted') }} as counted
        on
            strays.force_code = counted.force_code
            and strays.stray_code = counted.stray_code
            and strays.named_district is not distinct from counted.named_district

),

unplaced as (

    select
        month,
        force_code,
        area_code,
        sum(offences)::bigint as unplaced_rows
    from possible
    group by month, force_code, area_code

),

placed as (

    select
        month,
        area_code,
        sum(offences)::bigint as placed_rows
    from {{ ref('int_crime__counted') }}
    where stray_code is null
    group by month, area_code

)

select
    force_months.month,
    districts.force_code,
    districts.area_code,
    districts.has_small_areas,
    coalesce(placed.placed_rows, 0) as placed_rows,
    coalesce(unplaced.unplaced_rows, 0) as unplaced_rows
from force_months
inner join {{ ref('int_crime_districts__known') }} as districts
    on force_months.force_code = districts.force_code
left join unplaced
    on
        force_months.month = unplaced.month
        and districts.area_code = unplaced.area_code
left join placed
    on
        force_months.month = placed.month
        and districts.area_code = placed.area_code
where not districts.has_small_areas or unplaced.unplaced_rows is not null
