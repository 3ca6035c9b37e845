-- What the districts served lay in, and when: the force and the partnership by the partnerships
-- file, county and region by the Code History Database or else by the editions of the lookups, the
-- nation by the code.

with lives as (

    select
        area_code as district_code,
        min({{ since('first_day') }}) as since_day,
        max({{ until('last_day') }}) as until_day
    from {{ ref('int_areas__dated') }}
    where area_type = 'district'
    group by area_code

),

history as (

    select
        area_code,
        parent_type,
        parent_code,
        {{ since('first_day') }} as since_day,
        {{ until('last_day') }} as until_day
    from {{ ref('stg_area_lookups__code_history') }}
    where
        area_type in ('district', 'county')
        and parent_type in ('county', 'region')

),

by_history as (

    select
        lives.district_code,
        history.parent_type,
        history.parent_code,
        history.since_day,
        history.until_day,
        'code history' as evidence,
        null::date as edition
    from lives
    inner join history on lives.district_code = history.area_code
    union
    -- The region of a district in a county is the county's.
    select
        lives.district_code,
        counties.parent_type,
        counties.parent_code,
        greatest(history.since_day, counties.since_day) as since_day,
        least(history.until_day, counties.until_day) as until_day,
        'code history' as evidence,
        null::date as edition
    from lives
    inner join history
        on
            lives.district_code = history.area_code
            and history.parent_type = 'county'
    inner join history as counties on history.parent_code = counties.area_code

),

editions as (

    select
        lookups.area_code as district_code,
        lookups.parent_type,
        lookups.parent_code,
        min(lookups.vintage) as first_edition,
        max(lookups.vintage) as last_edition
    from {{ ref('stg_area_lookups__parents') }} as lookups
    inner join lives on lookups.area_code = lives.district_code
    where
        lookups.area_type = 'district'
        and lookups.parent_type in ('county', 'region', 'partnership area')
        and (lookups.area_code, lookups.parent_type) not in (
            select
                by_history.district_code,
                by_history.parent_type
            from by_history
        )
    group by lookups.area_code, lookups.parent_type, lookups.parent_code

),

by_editions as (

    select
        editions.district_code,
        editions.parent_type,
        editions.parent_code,
        case
            when row_number() over by_edition = 1 then lives.since_day
            else greatest(lives.since_day, editions.first_edition)
        end as since_day,
        least(
            lives.until_day,
            coalesce(lead(editions.first_edition) over by_edition - 1, lives.until_day)
        ) as until_day,
        'editions of lookups' as evidence,
        editions.last_edition as edition
    from editions
    inner join lives on editions.district_code = lives.district_code
    window by_edition as (
        partition by editions.district_code, editions.parent_type
        order by editions.first_edition, editions.parent_code
    )

),

by_configuration as (

    select
        served.district_code,
        'force' as parent_type,
        served.force_code as parent_code
    from {{ ref('int_districts__served') }} as served
    union
    select
        served.district_code,
        'partnership' as parent_type,
        served.partnership_area_code as parent_code
    from {{ ref('int_districts__served') }} as served
    where served.partnership_area_code is not null

),

parents as (

    select
        district_code,
        parent_type,
        parent_code,
        since_day,
        until_day,
        evidence,
        edition
    from by_history
    union all
    select
        district_code,
        parent_type,
        parent_code,
        since_day,
        until_day,
        evidence,
        edition
    from by_editions
    union all
    select
        by_configuration.district_code,
        by_configuration.parent_type,
        by_configuration.parent_code,
        lives.since_day,
        lives.until_day,
        'partnerships file' as evidence,
        null::date as edition
    from by_configuration
    inner join lives on by_configuration.district_code = lives.district_code
    union all
    select
        district_code,
        'nation' as parent_type,
        case when district_code like 'W%' then 'W92000004' else 'E92000001' end as parent_code,
        since_day,
        until_day,
        'area codes' as evidence,
        null::date as edition
    from lives

)

select
    district_code,
    parent_type,
    parent_code,
    {{ known_first_day('since_day') }} as first_day,
    {{ known_last_day('until_day') }} as last_day,
    evidence,
    edition
from parents
where since_day <= until_day
