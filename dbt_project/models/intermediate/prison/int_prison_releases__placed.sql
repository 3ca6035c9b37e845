-- People released from each prison by sex, kind of accommodation and where they went: each district
-- and partnership served, the force's two remainders, its districts together, and everywhere. A
-- return is whole, so an area that it does not name received nobody.

with prisons as (

    select
        prisons.prison,
        forces.area_code as force_code
    from {{ ref('int_prisons__listed') }} as prisons
    inner join {{ ref('int_areas__listed') }} as forces
        on
            prisons.force_code = forces.area_code
            and forces.area_type = 'force'

),

districts as (

    select
        district_code,
        area_code,
        force_code
    from {{ ref('int_district_codes__served') }}

),

releases as (

    select
        figures.prison,
        prisons.force_code,
        figures.period_start,
        figures.period_end,
        unnest([figures.sex, 'All']) as sex,
        {{ placed_area('figures.area_code', 'districts.area_code', 'prisons.force_code') }}
            as area_code,
        districts.area_code is not null as is_in_force_area,
        areas.partnership_code,
        figures.measure,
        figures.people,
        figures.delivery
    from {{ ref('stg_prison_releases__figures') }} as figures
    inner join prisons on figures.prison = prisons.prison
    left join districts
        on
            figures.area_code = districts.district_code
            and prisons.force_code = districts.force_code
    left join {{ ref('int_areas__listed') }} as areas on districts.area_code = areas.area_code
    where figures.statement = 'releases'

),

by_area as (

    select
        prison,
        period_start,
        sex,
        measure,
        people,
        unnest(
            list_distinct([
                area_code,
                partnership_code,
                case when is_in_force_area then force_code end,
                force_code || ':all'
            ])
        ) as area_code
    from releases

),

by_accommodation as (

    select
        prison,
        period_start,
        sex,
        area_code,
        people,
        unnest(
            case
                when measure in ('No address arranged', 'No fixed abode')
                    then [measure, 'No accommodation', 'All releases']
                else [measure, 'All releases']
            end
        ) as accommodation
    from by_area

),

counted as (

    select
        prison,
        period_start,
        sex,
        area_code,
        accommodation,
        sum(people) as released
    from by_accommodation
    group by all

),

returns as (

    select
        prison,
        force_code,
        period_start,
        period_end,
        any_value(delivery) as delivery
    from releases
    group by all

),

kinds as (

    select unnest([
        'Settled accommodation',
        'Temporary accommodation',
        'No address arranged',
        'No fixed abode',
        'No accommodation',
        'Not recorded',
        'All releases'
    ]) as accommodation

),

sexes as (

    select unnest(['All', 'Female', 'Male']) as sex

)

select
    returns.prison,
    returns.period_start,
    returns.period_end,
    areas.area_code,
    areas.area_name,
    areas.area_type,
    areas.csp,
    areas.print_order,
    sexes.sex,
    kinds.accommodation,
    coalesce(counted.released, 0)::bigint as released,
    returns.delivery
from returns
inner join {{ ref('int_prison_areas__listed') }} as areas on returns.force_code = areas.force_code
cross join sexes
cross join kinds
left join counted
    on
        returns.prison = counted.prison
        and returns.period_start = counted.period_start
        and areas.area_code = counted.area_code
        and sexes.sex = counted.sex
        and kinds.accommodation = counted.accommodation
