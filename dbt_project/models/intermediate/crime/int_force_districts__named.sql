-- Whether all districts of each force are named, in the partnerships file or by a lookup of forces:
-- what needs the whole force (its population, its rate) is unknown while they are not. Where no
-- lookup says it, the force's own street rows do: a district that holds many of them is its own.

with forces as (

    select
        force_code,
        area_name as force_area_name
    from {{ ref('int_areas__listed') }}
    where area_type = 'force'

),

listed as (

    select
        force_code,
        area_code
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'

),

-- An edition of the lookup of forces that has the very districts which are listed, or those that
-- became part of them.
confirmed as (

    select
        lookups.force_code,
        lookups.vintage
    from {{ ref('stg_area_lookups__district_forces') }} as lookups
    left join {{ ref('int_district_codes__served') }} as served
        on
            lookups.force_code = served.force_code
            and lookups.district_code = served.district_code
    group by lookups.force_code, lookups.vintage
    having
        count(*) = count(served.area_code)
        and count(distinct served.area_code) = (
            select count(*)
            from listed as every_listed
            where every_listed.force_code = lookups.force_code
        )

),

force_rows as (

    select
        force_code,
        sum(offences) as force_rows,
        count(distinct month) as months
    from {{ ref('int_crime__counted') }}
    group by force_code

),

elsewhere as (

    select
        strays.force_code,
        concat_ws(' ', strays.other_name, '(' || strays.other_code || ')') as district,
        sum(counted.offences)::bigint as district_rows
    from {{ ref('int_crime_strays__judged') }} as strays
    inner join {{ ref('int_crime__counted') }} as counted
        on
            strays.force_code = counted.force_code
            and strays.stray_code = counted.stray_code
            and strays.named_district is not distinct from counted.named_district
    where
        not strays.bears_a_name_of_the_force
        and not strays.is_of_another_force
        and coalesce(strays.other_code, strays.other_name) is not null
    group by strays.force_code, strays.other_name, strays.other_code

),

unnamed as (

    select
        elsewhere.force_code,
        count(*) as districts,
        sum(elsewhere.district_rows)::bigint as unnamed_rows,
        any_value(force_rows.force_rows)::bigint as force_rows,
        string_agg(
            format('{} ({:,} rows)', elsewhere.district, elsewhere.district_rows), ', '
            order by elsewhere.district_rows desc, elsewhere.district asc
        ) as unnamed_districts
    from elsewhere
    inner join force_rows on elsewhere.force_code = force_rows.force_code
    where
        elsewhere.district_rows
        > {{ var('unnamed_district_share') }} * force_rows.force_rows
        and elsewhere.district_rows
        > {{ var('unnamed_district_monthly_rows') }} * force_rows.months
    group by elsewhere.force_code

),

confirmed_forces as (

    select distinct force_code
    from confirmed

)

select
    forces.force_code,
    forces.force_area_name,
    unnamed.force_code is null or confirmed.force_code is not null as is_whole,
    case when confirmed.force_code is null then unnamed.unnamed_districts end
        as unnamed_districts,
    case when confirmed.force_code is null then unnamed.unnamed_rows end as unnamed_rows,
    unnamed.force_rows
from forces
left join unnamed on forces.force_code = unnamed.force_code
left join confirmed_forces as confirmed
    on forces.force_code = confirmed.force_code
