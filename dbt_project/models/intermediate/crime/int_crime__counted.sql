-- Crimes counted by month, area and conformed crime type. Only what was recorded has a row.

-- One pass over the rows of the archive; everything after it works on the few groups that remain.
with counted_by_district as (

    select
        crimes.month,
        crimes.force_name,
        crimes.published_crime_type,
        crimes.lsoa_code is not null as has_location,
        small_areas.district_code,
        count(*) as offences
    from {{ ref('stg_police_uk_street__crimes') }} as crimes
    left join {{ ref('int_small_areas__placed') }} as small_areas
        on crimes.lsoa_code = small_areas.lsoa_code
    group by all

),

conformed_types as (

    select distinct
        published_name,
        crime_type
    from {{ ref('crime_types') }}

),

placed as (

    select
        counted_by_district.month,
        force_months.force_code,
        -- A small area of another force's district, or of no lookup, is outside the force area.
        case
            when not counted_by_district.has_location
                then force_months.force_code || ':unlocated'
            when districts.force_code = force_months.force_code
                then districts.area_code
            else force_months.force_code || ':outside'
        end as area_code,
        coalesce(types.crime_type, counted_by_district.published_crime_type) as crime_type,
        counted_by_district.offences
    from counted_by_district
    inner join {{ ref('int_force_months__in_force') }} as force_months
        on
            counted_by_district.force_name = force_months.force_name
            and counted_by_district.month = force_months.month
    left join {{ ref('int_areas__listed') }} as districts
        on
            counted_by_district.district_code = districts.area_code
            and districts.area_type = 'district'
    left join conformed_types as types
        on counted_by_district.published_crime_type = types.published_name

)

select
    month,
    force_code,
    area_code,
    crime_type,
    sum(offences)::bigint as offences
from placed
group by month, force_code, area_code, crime_type
