-- Districts that the partnerships file and the lookups in force describe differently: one row a
-- kind of fault. Nothing is judged while no district list or lookup is in force.

with listed as (

    select
        district_code,
        district_name,
        force_code,
        force_area_name
    from {{ source('control', 'partnership_areas') }}

),

known as (

    select
        district_code,
        district_name
    from {{ ref('int_districts__known') }}

),

nearest as (

    select
        listed.district_code,
        listed.district_name,
        arg_max(
            format('{} ({})', known.district_name, known.district_code),
            jaro_winkler_similarity(lower(listed.district_name), lower(known.district_name))
        ) as nearest_district
    from listed
    cross join known
    where
        listed.district_code not in (select others.district_code from known as others)
        and listed.district_code not in (
            select changes.successor_code
            from {{ ref('int_district_changes__listed') }} as changes
        )
        and known.district_name is not null
    group by listed.district_code, listed.district_name

),

unknown_codes as (

    select
        'The partnerships file names districts that no lookup or district list in force knows: '
        || string_agg(
            format(
                '{} ({}), to which the nearest by name is {}',
                district_code, district_name, nearest_district
            ),
            '; '
            order by district_code
        )
        || '. Correct the code, or land a district list that has it (csp land area_lookups)'
            as fault
    from nearest

),

other_names as (

    select
        'The partnerships file names districts otherwise than the lookups in force: '
        || string_agg(
            format(
                '{} is ''{}'' in the file and ''{}'' in the lookups',
                listed.district_code, listed.district_name, known.district_name
            ),
            '; '
            order by listed.district_code
        )
        || '. Correct the name or the code' as fault
    from listed
    inner join known on listed.district_code = known.district_code
    where listed.district_name <> known.district_name

),

both_named as (

    select
        'The partnerships file names districts and what became part of them: '
        || string_agg(
            format(
                '{} ({}) is part of {} ({})',
                listed.district_name,
                listed.district_code,
                successors.district_name,
                successors.district_code
            ),
            '; '
            order by listed.district_code
        )
        || '. Name the district as it is now only: its past is the sum of those that it was made of'
            as fault
    from listed
    inner join {{ ref('int_district_changes__chained') }} as chained
        on listed.district_code = chained.district_code
    inner join listed as successors on chained.successor_code = successors.district_code

),

ceased as (

    select
        'The partnerships file names districts that have ceased: '
        || string_agg(
            format(
                '{} ({}) is part of {} ({}) since {}',
                listed.district_name,
                listed.district_code,
                changes.successor_name,
                changes.successor_code,
                strftime(changes.changed_on, '%-d %B %Y')
            ),
            '; '
            order by listed.district_code
        )
        || '. Their figures end with [z]. Name the district as it is now: its past is the sum of '
        || 'those that it was made of' as fault
    from listed
    inner join {{ ref('int_district_changes__listed') }} as changes
        on listed.district_code = changes.predecessor_code
    cross join {{ source('control', 'refresh') }} as refresh
    where
        changes.changed_on <= refresh.quarter_end
        and changes.successor_code not in (select others.district_code from listed as others)

),

forces_of_districts as (

    select
        district_code,
        arg_max(force_code, vintage) as force_code
    from {{ ref('stg_area_lookups__district_forces') }}
    group by district_code

),

other_forces as (

    select
        'The partnerships file puts districts under a force area that the lookup of forces does '
        || 'not: '
        || string_agg(
            format(
                '{} ({}) is under {} ({}), and in the lookup under {}',
                listed.district_code,
                listed.district_name,
                listed.force_code,
                listed.force_area_name,
                lookups.force_code
            ),
            '; '
            order by listed.district_code
        )
        || '. Correct the file' as fault
    from listed
    inner join forces_of_districts as lookups on listed.district_code = lookups.district_code
    where listed.force_code <> lookups.force_code

)

select
    rule,
    fault
from (
    select
        'unknown_codes' as rule,
        fault
    from unknown_codes
    union all
    select
        'other_names' as rule,
        fault
    from other_names
    union all
    select
        'other_forces' as rule,
        fault
    from other_forces
    union all
    select
        'both_named' as rule,
        fault
    from both_named
    union all
    select
        'ceased' as rule,
        fault
    from ceased
) as faults
where fault is not null
