-- Why recorded crime cannot be placed or has no rate: one row a kind of fault. The
-- figures concerned are [x]; a refresh warns of each.

with lookups as (

    select count(*) as small_areas
    from {{ ref('stg_area_lookups__small_areas') }}

),

districts_without_areas as (

    select distinct
        doubted.area_code,
        format('{} ({})', doubted.area_code, areas.area_name) as district
    from {{ ref('int_crime_districts__doubted') }} as doubted
    inner join {{ ref('int_areas__listed') }} as areas on doubted.area_code = areas.area_code
    where not doubted.has_small_areas

),

no_small_areas as (

    select
        case
            when lookups.small_areas = 0
                then
                    'No lookup of small areas is in force: recorded crime of every district is [x]'
            else
                'No lookup in force has small areas of '
                || string_agg(districts.district, ', ' order by districts.area_code)
                || ': recorded crime there is [x]'
        end
        || '. Land a lookup from small areas to districts that has these codes, of the '
        || 'year in which they were current or later (csp land area_lookups)' as fault
    from districts_without_areas as districts
    cross join lookups
    group by lookups.small_areas

),

unplaced_districts as (

    select
        doubted.area_code,
        min(doubted.month) as first_month,
        max(doubted.month) as last_month,
        count(*) as months,
        sum(doubted.unplaced_rows)::bigint as unplaced_rows,
        sum(doubted.unplaced_rows + doubted.placed_rows)::bigint as all_rows
    from {{ ref('int_crime_districts__doubted') }} as doubted
    where doubted.has_small_areas
    group by doubted.area_code

),

examples as (

    select string_agg(stray_code, ', ' order by stray_code) as codes
    from (
        select distinct stray_code
        from {{ ref('int_crime_strays__judged') }}
        where len(possible_districts) > 0
        order by stray_code
        limit 3
    )

),

unplaced_rows as (

    select
        'Rows lie in small areas that no lookup in force places (such as '
        || examples.codes
        || '), so recorded crime is [x] for '
        || string_agg(
            format(
                '{} ({}), {}: {:,} of {:,} rows may be its own and are not placed',
                areas.area_name,
                unplaced.area_code,
                case
                    when unplaced.months = 1 then strftime(unplaced.first_month, '%B %Y')
                    else format(
                        '{} months from {} to {}',
                        unplaced.months,
                        strftime(unplaced.first_month, '%B %Y'),
                        strftime(unplaced.last_month, '%B %Y')
                    )
                end,
                unplaced.unplaced_rows,
                unplaced.all_rows
            ),
            '; '
            order by unplaced.area_code
        )
        || '. Land a lookup that has these codes (csp land area_lookups)' as fault
    from unplaced_districts as unplaced
    inner join {{ ref('int_areas__listed') }} as areas on unplaced.area_code = areas.area_code
    cross join examples
    group by examples.codes

),

unnamed_districts as (

    select
        string_agg(
            format(
                'The partnerships file does not name all districts of {}: {:,} of the force''s '
                || '{:,} rows lie in {}. Figures of the whole force that need its population or '
                || 'all its districts are [x]. Name the districts under other_districts, or land '
                || 'a lookup from districts to police force areas',
                force_area_name,
                unnamed_rows,
                force_rows,
                unnamed_districts
            ),
            '. '
            order by force_code
        ) as fault
    from {{ ref('int_force_districts__named') }}
    where not is_whole

),

-- Judged for the districts served only. That an older edition has a district which a served one
-- succeeded is no dispute.
disputed as (

    select
        lsoa_code,
        not bool_or(preference = 1 and is_single) as is_split,
        string_agg(
            format('{} by the edition of {}', district_code, year(district_vintage)), ', '
            order by district_vintage, district_code
        ) as editions,
        any_value(district_code) filter (preference = 1) as taken
    from {{ ref('int_small_areas__editions') }}
    group by lsoa_code
    having
        bool_or(is_served)
        and (
            count(distinct district_code) filter (is_served) > 1
            or not bool_and(is_single)
            or not arg_max(is_served, district_vintage)
        )

),

disputes as (

    select
        format('The lookups in force disagree on {:,} small areas of the forces served: ', count(*))
        || array_to_string(
            list(
                lsoa_code || ' is in ' || editions
                || case
                    when is_split then ', so its rows are not placed'
                    else ', and ' || taken || ' is used'
                end
                order by lsoa_code
            )[:3],
            '; '
        )
        || case when count(*) > 3 then format('; and {:,} more', count(*) - 3) else '' end
        || '. Ask the supplier which is right, or land a newer lookup' as fault
    from disputed
    having count(*) > 0

)

select
    rule,
    fault
from (
    select
        'no_small_areas' as rule,
        fault
    from no_small_areas
    union all
    select
        'unplaced_rows' as rule,
        fault
    from unplaced_rows
    union all
    select
        'unnamed_districts' as rule,
        fault
    from unnamed_districts
    union all
    select
        'disputed_small_areas' as rule,
        fault
    from disputes
) as faults
where fault is not null
