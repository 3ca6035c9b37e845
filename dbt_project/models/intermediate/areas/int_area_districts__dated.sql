-- In which district each small area and ward of the forces served lay, and when. An edition places
-- an area in a district; the area lies there from the district's first day to its last, and then in
-- the district that holds all of it since. Where a later edition has it in another district, that
-- is so from 1 January of the edition's year.

with small_areas as (

    select
        vintage,
        district_vintage,
        lsoa_code,
        district_code,
        max(vintage) over (partition by lsoa_code, district_vintage) as newest_vintage,
        count(*) over (partition by lsoa_code, district_vintage, vintage) as districts
    from {{ ref('stg_area_lookups__small_areas') }}

),

-- Of two lookups of one edition that of the newer small areas counts; a small area that is split
-- over districts is placed nowhere.
statements as (

    select
        'small area' as area_type,
        small_areas.lsoa_code as area_code,
        small_areas.district_code,
        small_areas.district_vintage as edition
    from small_areas
    inner join {{ ref('int_areas__served') }} as served
        on
            small_areas.lsoa_code = served.area_code
            and served.area_type = 'small area'
    where
        small_areas.vintage = small_areas.newest_vintage
        and small_areas.districts = 1
    union all
    select
        lookups.area_type,
        lookups.area_code,
        lookups.parent_code as district_code,
        lookups.vintage as edition
    from {{ ref('stg_area_lookups__parents') }} as lookups
    inner join {{ ref('int_areas__served') }} as served
        on
            lookups.area_code = served.area_code
            and lookups.area_type = served.area_type
    where
        lookups.area_type = 'ward'
        and lookups.area_code not in (
            select history.area_code
            from {{ ref('stg_area_lookups__code_history') }} as history
            where history.area_type = 'ward'
        )
    qualify count(distinct lookups.parent_code) over (
        partition by lookups.area_code, lookups.vintage
    ) = 1

),

districts as (

    select
        area_type,
        area_code,
        district_code,
        min(edition) as first_edition,
        max(edition) as last_edition
    from statements
    group by area_type, area_code, district_code

),

-- A later edition bounds an earlier one, unless its district is a successor of the earlier one's.
bounds as (

    select
        one.area_type,
        one.area_code,
        one.district_code,
        max(case when other.first_edition < one.first_edition then one.first_edition end)
            as earliest_day,
        min(case when other.first_edition > one.first_edition then other.first_edition end) - 1
            as latest_day
    from districts as one
    inner join districts as other
        on
            one.area_type = other.area_type
            and one.area_code = other.area_code
            and one.district_code <> other.district_code
    left join {{ ref('int_districts__followed') }} as followed
        on
            one.district_code = followed.district_code
            and other.district_code = followed.later_code
    left join {{ ref('int_districts__followed') }} as preceded
        on
            one.district_code = preceded.later_code
            and other.district_code = preceded.district_code
    where
        followed.steps is null
        and preceded.steps is null
    group by one.area_type, one.area_code, one.district_code

),

bounded as (

    select
        districts.area_type,
        districts.area_code,
        districts.district_code,
        districts.last_edition,
        bounds.earliest_day,
        bounds.latest_day
    from districts
    left join bounds
        on
            districts.area_type = bounds.area_type
            and districts.area_code = bounds.area_code
            and districts.district_code = bounds.district_code

),

lives as (

    select
        area_type,
        area_code,
        min({{ since('first_day') }}) as since_day,
        max({{ until('last_day') }}) as until_day
    from {{ ref('int_areas__dated') }}
    group by area_type, area_code

),

by_editions as (

    select
        bounded.area_type,
        bounded.area_code,
        followed.later_code as district_code,
        min(greatest(
            {{ since('bounded.earliest_day') }}, districts.since_day, areas.since_day
        )) as since_day,
        max(least(
            {{ until('bounded.latest_day') }}, districts.until_day, areas.until_day
        )) as until_day,
        case when min(followed.steps) = 0 then 'editions of lookups' else 'changes of districts' end
            as evidence,
        max(case when followed.steps = 0 then bounded.last_edition end) as edition
    from bounded
    inner join {{ ref('int_districts__followed') }} as followed
        on bounded.district_code = followed.district_code
    inner join lives as districts
        on
            followed.later_code = districts.area_code
            and districts.area_type = 'district'
    inner join lives as areas
        on
            bounded.area_code = areas.area_code
            and bounded.area_type = areas.area_type
    group by bounded.area_type, bounded.area_code, followed.later_code

),

by_history as (

    select
        history.area_type,
        history.area_code,
        history.parent_code as district_code,
        min({{ since('history.first_day') }}) as since_day,
        max({{ until('history.last_day') }}) as until_day,
        'code history' as evidence,
        null::date as edition
    from {{ ref('stg_area_lookups__code_history') }} as history
    inner join lives as districts
        on
            history.parent_code = districts.area_code
            and districts.area_type = 'district'
    where history.area_type = 'ward'
    group by history.area_type, history.area_code, history.parent_code

)

select
    area_type,
    area_code,
    district_code,
    {{ known_first_day('since_day') }} as first_day,
    {{ known_last_day('until_day') }} as last_day,
    evidence,
    edition
from by_editions
where since_day <= until_day
union all
select
    area_type,
    area_code,
    district_code,
    {{ known_first_day('since_day') }} as first_day,
    {{ known_last_day('until_day') }} as last_day,
    evidence,
    edition
from by_history
where since_day <= until_day
