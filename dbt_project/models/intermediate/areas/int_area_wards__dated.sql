-- In which ward each small area of the forces served lay, and when, by the editions of the lookups:
-- from 1 January of the first edition that places it there, until one that does not.

with statements as (

    select
        lookups.area_code,
        lookups.parent_code as ward_code,
        lookups.vintage as edition
    from {{ ref('stg_area_lookups__parents') }} as lookups
    inner join {{ ref('int_areas__served') }} as served
        on
            lookups.area_code = served.area_code
            and served.area_type = 'small area'
    where lookups.parent_type = 'ward'
    qualify count(distinct lookups.parent_code) over (
        partition by lookups.area_code, lookups.vintage
    ) = 1

),

editions as (

    select distinct
        area_code,
        ward_code,
        edition
    from statements

),

steps as (

    select
        area_code,
        ward_code,
        edition,
        (lag(ward_code) over by_edition is distinct from ward_code)::integer as starts_anew
    from editions
    window by_edition as (partition by area_code order by edition)

),

numbered as (

    select
        area_code,
        ward_code,
        edition,
        sum(starts_anew) over (
            partition by area_code
            order by edition
            rows between unbounded preceding and current row
        ) as stay
    from steps

),

stays as (

    select
        area_code,
        ward_code,
        stay,
        min(edition) as first_edition,
        max(edition) as edition
    from numbered
    group by area_code, ward_code, stay

),

lives as (

    select
        area_code,
        min({{ since('first_day') }}) as since_day,
        max({{ until('last_day') }}) as until_day
    from {{ ref('int_areas__dated') }}
    where area_type in ('small area', 'ward')
    group by area_code

),

bounded as (

    select
        stays.area_code,
        stays.ward_code,
        stays.edition,
        greatest(
            wards.since_day,
            areas.since_day,
            case when stays.stay > 1 then stays.first_edition else wards.since_day end
        ) as since_day,
        least(
            wards.until_day,
            areas.until_day,
            coalesce(
                lead(stays.first_edition) over (partition by stays.area_code order by stays.stay)
                - 1,
                wards.until_day
            )
        ) as until_day
    from stays
    inner join lives as wards on stays.ward_code = wards.area_code
    inner join lives as areas on stays.area_code = areas.area_code

)

select
    area_code,
    ward_code,
    {{ known_first_day('since_day') }} as first_day,
    {{ known_last_day('until_day') }} as last_day,
    edition
from bounded
where since_day <= until_day
