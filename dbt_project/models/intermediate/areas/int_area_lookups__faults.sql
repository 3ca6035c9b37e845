-- What two lookups in force say differently of one area of the forces served, for the same time:
-- one row a kind of disagreement. Another spelling of a name is none.

with served as (

    select distinct area_code
    from {{ ref('int_areas__served') }}

),

kinds as (

    select
        kinds.kind,
        kinds.lookup
    from (
        values
        ('lsoa_2011', 'the lookup of small areas of 2011'),
        ('lsoa_2021', 'the lookup of small areas of 2021'),
        ('district', 'the district list'),
        ('district_force', 'the lookup from districts to forces')
    ) as kinds (kind, lookup)

),

names as (

    select
        parent_code as area_code,
        parent_name as area_name,
        vintage as edition,
        kind
    from {{ ref('stg_area_lookups__parents') }}
    union
    select
        area_code,
        area_name,
        vintage as edition,
        kind
    from {{ ref('stg_area_lookups__parents') }}
    where area_type in ('ward', 'district')
    union
    select
        lsoa_code as area_code,
        lsoa_name as area_name,
        vintage as edition,
        kind
    from {{ ref('stg_area_lookups__small_areas') }}
    union
    select
        district_code as area_code,
        district_name as area_name,
        district_vintage as edition,
        kind
    from {{ ref('stg_area_lookups__small_areas') }}
    union
    select
        district_code as area_code,
        district_name as area_name,
        vintage as edition,
        'district' as kind
    from {{ ref('stg_area_lookups__districts') }}

),

-- One spelling of each name that a lookup gives to an area of the forces served.
given_names as (

    select
        names.area_code,
        names.edition,
        {{ comparable_name('names.area_name') }} as plain_name,
        format(
            '''{}'' in {}, edition of {}',
            min(names.area_name), min(kinds.lookup), year(names.edition)
        ) as said
    from names
    inner join served on names.area_code = served.area_code
    inner join kinds on names.kind = kinds.kind
    where names.area_name is not null
    group by names.area_code, names.edition, {{ comparable_name('names.area_name') }}

),

history as (

    select
        history.area_code,
        history.area_name,
        history.parent_type,
        history.parent_code,
        {{ since('history.first_day') }} as since_day,
        {{ until('history.last_day') }} as until_day
    from {{ ref('stg_area_lookups__code_history') }} as history
    inner join served on history.area_code = served.area_code

),

other_names_of_a_lookup as (

    select
        area_code,
        string_agg(said, ' and ' order by said) as said
    from given_names
    group by area_code, edition
    having count(*) > 1

),

other_names_of_history as (

    select
        given_names.area_code,
        format(
            '{} and ''{}'' in the Code History Database',
            given_names.said, arg_max(history.area_name, history.since_day)
        ) as said
    from given_names
    inner join history
        on
            given_names.area_code = history.area_code
            and given_names.edition + interval 1 year > history.since_day
            and given_names.edition <= history.until_day
    where history.area_name is not null
    group by given_names.area_code, given_names.edition, given_names.said, given_names.plain_name
    having
        not bool_or(
            {{ comparable_name('history.area_name') }} = given_names.plain_name
        )

),

parents as (

    select
        area_type,
        area_code,
        parent_type,
        parent_code,
        vintage as edition,
        kind
    from {{ ref('stg_area_lookups__parents') }}
    union all
    select
        'small area' as area_type,
        lsoa_code as area_code,
        'district' as parent_type,
        district_code as parent_code,
        district_vintage as edition,
        kind
    from {{ ref('stg_area_lookups__small_areas') }}

),

-- A small area of 2011 that was split lies in several by one lookup, which is no disagreement.
single_parents as (

    select
        parents.area_code,
        parents.parent_type,
        parents.parent_code,
        parents.edition,
        kinds.lookup
    from parents
    inner join served on parents.area_code = served.area_code
    inner join kinds on parents.kind = kinds.kind
    qualify
        parents.area_type <> 'small area'
        or count(distinct parents.parent_code) over (
            partition by parents.area_code, parents.parent_type, parents.edition, parents.kind
        ) = 1

),

given_parents as (

    select
        area_code,
        parent_type,
        parent_code,
        edition,
        format(
            'in the {} {} by {}, edition of {}',
            parent_type, parent_code, min(lookup), year(edition)
        ) as said
    from single_parents
    group by area_code, parent_type, parent_code, edition

),

other_parents_of_a_lookup as (

    select
        area_code,
        string_agg(said, ' and ' order by said) as said
    from given_parents
    group by area_code, parent_type, edition
    having count(*) > 1

),

other_parents_of_history as (

    select
        given_parents.area_code,
        format(
            '{} and in {} by the Code History Database',
            given_parents.said, arg_max(history.parent_code, history.since_day)
        ) as said
    from given_parents
    inner join history
        on
            given_parents.area_code = history.area_code
            and given_parents.parent_type = history.parent_type
            and given_parents.edition + interval 1 year > history.since_day
            and given_parents.edition <= history.until_day
    group by
        given_parents.area_code,
        given_parents.edition,
        given_parents.said,
        given_parents.parent_code
    having not bool_or(history.parent_code = given_parents.parent_code)

),

other_days as (

    select
        listed.predecessor_code as area_code,
        format(
            'followed by {} on {} in the list of changes and by {} on {} in the Code History '
            || 'Database',
            listed.successor_code,
            strftime(listed.changed_on, '%-d %B %Y'),
            changes.successor_code,
            coalesce(strftime(changes.changed_on, '%-d %B %Y'), 'no day')
        ) as said
    from {{ ref('district_changes') }} as listed
    inner join {{ ref('int_district_changes__listed') }} as changes
        on
            listed.predecessor_code = changes.predecessor_code
            and changes.evidence = 'code history'
    inner join served on listed.predecessor_code = served.area_code
    where
        listed.successor_code <> changes.successor_code
        or listed.changed_on is distinct from changes.changed_on

),

disagreements as (

    select
        'other_names' as rule,
        'names of areas' as what,
        area_code,
        said
    from other_names_of_a_lookup
    union
    select
        'other_names' as rule,
        'names of areas' as what,
        area_code,
        said
    from other_names_of_history
    union
    select
        'other_parents' as rule,
        'what areas lie in' as what,
        area_code,
        said
    from other_parents_of_a_lookup
    union
    select
        'other_parents' as rule,
        'what areas lie in' as what,
        area_code,
        said
    from other_parents_of_history
    union
    select
        'other_days' as rule,
        'days of changes' as what,
        area_code,
        said
    from other_days

)

select
    rule,
    format('The lookups in force disagree on {} ({:,}): ', what, count(*))
    || array_to_string(list(area_code || ' is ' || said order by area_code, said)[:3], '; ')
    || case when count(*) > 3 then format('; and {:,} more', count(*) - 3) else '' end
    || '. Ask the supplier which is right, or land a newer lookup (csp land area_lookups)' as fault
from disagreements
group by rule, what
