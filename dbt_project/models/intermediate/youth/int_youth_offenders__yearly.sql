-- Each young person once in each whole year in which a service registered them, with the first
-- offence of that year. Restricted: people.

with services as (

    select distinct
        services.youth_offending_service,
        areas.force_code
    from {{ ref('int_youth_services__listed') }} as services
    inner join {{ ref('int_areas__listed') }} as areas on services.district_code = areas.area_code

),

districts as (

    select
        district_code,
        area_code,
        force_code
    from {{ ref('int_district_codes__served') }}

),

registrations as (

    select
        registrations.youth_offending_service,
        registrations.return_quarter,
        registrations.person_ref,
        known.sex,
        registrations.offence,
        registrations.offence_date,
        registrations.registered_on,
        registrations.is_first_time_entrant,
        registrations.accommodation_need,
        {{ age_on('registrations.offence_date', 'known.born_by') }} as least_age,
        {{ age_on('registrations.offence_date', '(known.born_after + 1)') }} as greatest_age,
        services.force_code,
        {{ placed_area(
            'registrations.district_code', 'districts.area_code', 'services.force_code'
        ) }} as area_code
    from {{ ref('stg_youth_offending__registrations') }} as registrations
    inner join {{ ref('int_youth_people__known') }} as known
        on
            registrations.youth_offending_service = known.youth_offending_service
            and registrations.person_ref = known.person_ref
    inner join services
        on registrations.youth_offending_service = services.youth_offending_service
    left join districts
        on
            registrations.district_code = districts.district_code
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
    -- Not recorded where the possible ages are of two groups: a guess would put somebody in the
    -- wrong one.
    case
        when
            {{ youth_age_group('registrations.least_age') }}
            = {{ youth_age_group('registrations.greatest_age') }}
            then {{ youth_age_group('registrations.least_age') }}
        else 'Not recorded'
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
        registrations.offence_date asc,
        registrations.registered_on asc,
        registrations.return_quarter asc
) = 1
