-- Each young person once in each whole year in which a service registered them, with the first
-- offence of that year. Restricted: people.

with services as (

    select distinct
        services.youth_offending_service,
        areas.force_code
    from {{ ref('youth_offending_services') }} as services
    inner join {{ ref('int_areas__listed') }} as areas on services.district_code = areas.area_code

),

districts as (

    select
        area_code,
        force_code
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'

),

registrations as (

    select
        registrations.youth_offending_service,
        registrations.return_quarter,
        registrations.person_ref,
        registrations.sex,
        registrations.offence,
        registrations.offence_date,
        registrations.registered_on,
        registrations.is_first_time_entrant,
        registrations.accommodation_need,
        registrations.age_at_offence as age,
        services.force_code,
        {{ placed_area(
            'registrations.district_code', 'districts.area_code', 'services.force_code'
        ) }} as area_code
    from {{ ref('stg_youth_offending__registrations') }} as registrations
    inner join services
        on registrations.youth_offending_service = services.youth_offending_service
    left join districts
        on
            registrations.district_code = districts.area_code
            and services.force_code = districts.force_code

)

select
    periods.period_type,
    periods.period_start,
    registrations.youth_offending_service,
    registrations.person_ref,
    registrations.force_code,
    registrations.area_code,
    registrations.sex,
    case
        when registrations.age is null then 'Not recorded'
        when registrations.age <= 12 then '12 and under'
        when registrations.age <= 14 then '13 to 14'
        when registrations.age <= 16 then '15 to 16'
        else '17 and over'
    end as age_group,
    registrations.offence as first_offence,
    registrations.is_first_time_entrant,
    registrations.accommodation_need
from registrations
inner join {{ ref('int_youth_periods__covered') }} as periods
    on
        registrations.youth_offending_service = periods.youth_offending_service
        and registrations.return_quarter between periods.period_start and periods.period_end
-- The entry is somebody's first by its meaning; otherwise the earliest offence is.
qualify row_number() over (
    partition by
        periods.period_type,
        periods.period_start,
        registrations.youth_offending_service,
        registrations.person_ref
    order by
        registrations.is_first_time_entrant desc,
        registrations.offence_date,
        registrations.registered_on,
        registrations.return_quarter
) = 1
