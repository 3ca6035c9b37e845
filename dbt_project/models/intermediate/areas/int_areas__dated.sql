-- Areas of the forces served, a row for each name and the days on which it had it, and from what
-- the days are known. The Code History Database comes first, then the list of changes, then the
-- editions of the lookups: an area is taken to exist from 1 January of the first edition that has
-- it, to the day before 1 January of the first that should have it and does not.

with history as (

    select
        history.area_type,
        history.area_code,
        history.area_name,
        {{ since('history.first_day') }} as since_day,
        {{ until('history.last_day') }} as until_day
    from {{ ref('stg_area_lookups__code_history') }} as history
    inner join {{ ref('int_areas__served') }} as served
        on
            history.area_code = served.area_code
            and history.area_type = served.area_type

),

-- A change of boundary leaves code and name: rows that follow each other under one name are one.
history_steps as (

    select
        area_type,
        area_code,
        area_name,
        since_day,
        until_day,
        (
            lag(area_name) over by_day is distinct from area_name
            or since_day > lag(until_day) over by_day + interval 1 day
        )::integer as starts_anew
    from history
    window by_day as (partition by area_code order by since_day, until_day)

),

history_names as (

    select
        area_type,
        area_code,
        area_name,
        since_day,
        until_day,
        sum(starts_anew) over (
            partition by area_code
            order by since_day, until_day
            rows between unbounded preceding and current row
        ) as name_number
    from history_steps

),

by_history as (

    select
        area_type,
        area_code,
        any_value(area_name) as area_name,
        min(since_day) as since_day,
        max(until_day) as until_day,
        'code history' as evidence
    from history_names
    group by area_type, area_code, name_number

),

editions as (

    select
        named.area_type,
        named.area_code,
        named.edition,
        named.area_name,
        {{ comparable_name('named.area_name') }} as plain_name
    from {{ ref('int_areas__named') }} as named
    inner join {{ ref('int_areas__served') }} as served
        on
            named.area_code = served.area_code
            and named.area_type = served.area_type
    where named.area_code not in (select history.area_code from history)

),

edition_steps as (

    select
        area_type,
        area_code,
        edition,
        area_name,
        (
            lag(plain_name) over by_edition is distinct from plain_name
        )::integer as starts_anew
    from editions
    where area_name is not null
    window by_edition as (partition by area_type, area_code order by edition)

),

edition_names as (

    select
        area_type,
        area_code,
        edition,
        area_name,
        sum(starts_anew) over (
            partition by area_type, area_code
            order by edition
            rows between unbounded preceding and current row
        ) as name_number
    from edition_steps

),

names as (

    select
        area_type,
        area_code,
        name_number,
        arg_max(area_name, edition) as area_name,
        min(edition) as first_edition
    from edition_names
    group by area_type, area_code, name_number

),

-- Editions that have areas of a kind in what is now one district: an area that is in an earlier one
-- of them and not in a later one has ended.
located as (

    select
        'small area' as area_type,
        lsoa_code as area_code,
        vintage as edition,
        district_code
    from {{ ref('stg_area_lookups__small_areas') }}
    union
    select
        area_type,
        area_code,
        vintage as edition,
        parent_code as district_code
    from {{ ref('stg_area_lookups__parents') }}
    where area_type = 'ward'

),

latest_districts as (

    select
        district_code,
        arg_max(later_code, steps) as latest_code
    from {{ ref('int_districts__followed') }}
    group by district_code

),

placed as (

    select distinct
        located.area_type,
        located.area_code,
        located.edition,
        latest_districts.latest_code
    from located
    inner join latest_districts on located.district_code = latest_districts.district_code

),

covered as (

    select distinct
        area_type,
        latest_code,
        edition
    from placed

),

last_editions as (

    select
        area_type,
        area_code,
        latest_code,
        max(edition) over (partition by area_type, area_code) as last_edition
    from placed
    qualify edition = last_edition

),

ended as (

    select
        last_editions.area_type,
        last_editions.area_code,
        min(covered.edition) as next_edition
    from last_editions
    inner join covered
        on
            last_editions.area_type = covered.area_type
            and last_editions.latest_code = covered.latest_code
            and last_editions.last_edition < covered.edition
    group by last_editions.area_type, last_editions.area_code
    union all
    select
        'district' as area_type,
        district_code as area_code,
        next_edition
    from {{ ref('int_districts__ended') }}

),

lives as (

    select
        area_type,
        area_code,
        min(edition) as first_edition
    from editions
    group by area_type, area_code

),

by_editions as (

    select
        lives.area_type,
        lives.area_code,
        names.area_name,
        case
            when coalesce(names.name_number, 1) = 1 then lives.first_edition
            else names.first_edition
        end as since_day,
        coalesce(
            lead(names.first_edition) over (
                partition by lives.area_type, lives.area_code
                order by names.name_number
            ) - 1,
            ended.next_edition - 1,
            date '9999-12-31'
        ) as until_day,
        'editions of lookups' as evidence
    from lives
    left join names
        on
            lives.area_type = names.area_type
            and lives.area_code = names.area_code
    left join ended
        on
            lives.area_type = ended.area_type
            and lives.area_code = ended.area_code

),

-- What no lookup and no history has, but the partnerships file, the list of changes or the code.
configured as (

    select
        'force' as area_type,
        area_code,
        area_name
    from {{ ref('int_areas__listed') }}
    where area_type = 'force'
    union
    select
        'district' as area_type,
        area_code,
        area_name
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'
    union
    select
        'partnership' as area_type,
        {{ partnership_area_of('partnership_code', 'area_code', 'csp') }} as area_code,
        csp_name as area_name
    from {{ ref('int_areas__listed') }}
    where area_type = 'district' and csp is not null
    union
    select
        'district' as area_type,
        predecessor_code as area_code,
        predecessor_name as area_name
    from {{ ref('int_district_changes__listed') }}
    union
    select
        'district' as area_type,
        successor_code as area_code,
        successor_name as area_name
    from {{ ref('int_district_changes__listed') }}
    union
    select
        'nation' as area_type,
        nations.area_code,
        nations.area_name
    from (values ('E92000001', 'England'), ('W92000004', 'Wales')) as nations (area_code, area_name)

),

by_configuration as (

    select
        served.area_type,
        served.area_code,
        max(configured.area_name) as area_name,
        {{ since('null') }} as since_day,
        {{ until('null') }} as until_day,
        null as evidence
    from {{ ref('int_areas__served') }} as served
    left join configured
        on
            served.area_type = configured.area_type
            and served.area_code = configured.area_code
    where
        served.area_code not in (select by_history.area_code from by_history)
        and served.area_code not in (select by_editions.area_code from by_editions)
    group by served.area_type, served.area_code

),

found as (

    select
        area_type,
        area_code,
        area_name,
        since_day,
        until_day,
        evidence
    from by_history
    union all
    select
        area_type,
        area_code,
        area_name,
        since_day,
        until_day,
        evidence
    from by_editions
    union all
    select
        area_type,
        area_code,
        area_name,
        since_day,
        until_day,
        evidence
    from by_configuration

),

-- The first and last row of an area, to which the day of a change of code applies.
ordered as (

    select
        area_type,
        area_code,
        area_name,
        since_day,
        until_day,
        evidence,
        coalesce(evidence = 'code history', false) as is_coded,
        coalesce(evidence = 'code history' and until_day < date '9999-12-31', false) as is_ended,
        row_number() over (partition by area_type, area_code order by since_day) = 1 as is_first,
        row_number() over (
            partition by area_type, area_code
            order by since_day desc
        ) = 1 as is_last
    from found

),

begun as (

    select
        successor_code,
        min(changed_on) as changed_on,
        arg_min(evidence, strftime(changed_on, '%Y-%m-%d') || evidence) as evidence
    from {{ ref('int_district_changes__listed') }}
    where changed_on is not null
    group by successor_code

),

configured_names as (

    select
        area_code,
        max(area_name) as area_name
    from configured
    group by area_code

),

dated as (

    select
        ordered.area_type,
        ordered.area_code,
        coalesce(ordered.area_name, configured_names.area_name) as area_name,
        case
            when ordered.is_first and not ordered.is_coded
                then coalesce(begun.changed_on, ordered.since_day)
            else ordered.since_day
        end as since_day,
        case
            when ordered.is_first and not ordered.is_coded
                then coalesce(begun.evidence, ordered.evidence)
            else ordered.evidence
        end as since_evidence,
        case
            when ordered.is_last and not ordered.is_ended
                then coalesce(ended.changed_on - 1, ordered.until_day)
            else ordered.until_day
        end as until_day,
        case
            when ordered.is_last and not ordered.is_ended and ended.changed_on is not null
                then ended.evidence
            else ordered.evidence
        end as until_evidence
    from ordered
    left join begun on ordered.area_code = begun.successor_code
    left join {{ ref('int_district_changes__listed') }} as ended
        on ordered.area_code = ended.predecessor_code
    left join configured_names on ordered.area_code = configured_names.area_code

)

-- A time that ends before it begins, where an edition of a year has what ended within it, is left.
select
    area_type,
    area_code,
    area_name,
    {{ known_first_day('since_day') }} as first_day,
    {{ known_last_day('until_day') }} as last_day,
    case when {{ known_first_day('since_day') }} is not null then since_evidence end
        as first_day_from,
    case when {{ known_last_day('until_day') }} is not null then until_evidence end
        as last_day_from
from dated
where since_day <= until_day
