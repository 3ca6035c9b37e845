-- Which area lay in which, and when, at every level: what a small area or ward lies in is what its
-- district lies in on the same days.

with direct as (

    select
        'small area' as area_type,
        area_code,
        'ward' as parent_type,
        ward_code as parent_code,
        {{ since('first_day') }} as since_day,
        {{ until('last_day') }} as until_day,
        'editions of lookups' as evidence,
        edition
    from {{ ref('int_area_wards__dated') }}
    union all
    select
        area_type,
        area_code,
        'district' as parent_type,
        district_code as parent_code,
        {{ since('first_day') }} as since_day,
        {{ until('last_day') }} as until_day,
        evidence,
        edition
    from {{ ref('int_area_districts__dated') }}
    union all
    select
        'district' as area_type,
        district_code as area_code,
        parent_type,
        parent_code,
        {{ since('first_day') }} as since_day,
        {{ until('last_day') }} as until_day,
        evidence,
        edition
    from {{ ref('int_district_parents__dated') }}

),

through_districts as (

    select
        lower_area.area_type,
        lower_area.area_code,
        upper_area.parent_type,
        upper_area.parent_code,
        greatest(lower_area.since_day, upper_area.since_day) as since_day,
        least(lower_area.until_day, upper_area.until_day) as until_day,
        lower_area.evidence,
        lower_area.edition
    from direct as lower_area
    inner join direct as upper_area
        on
            lower_area.parent_code = upper_area.area_code
            and upper_area.area_type = 'district'
    where lower_area.parent_type = 'district'

),

-- A partnership lies in its force; a county in what all its districts lie in.
of_partnerships as (

    select distinct
        'partnership' as area_type,
        {{ partnership_area_of('partnership_code', 'area_code', 'csp') }} as area_code,
        'force' as parent_type,
        force_code as parent_code
    from {{ ref('int_areas__listed') }}
    where area_type = 'district' and csp is not null

),

of_larger as (

    select
        one.parent_type as area_type,
        one.parent_code as area_code,
        other.parent_type,
        min(other.parent_code) as parent_code,
        min(greatest(one.since_day, other.since_day)) as since_day,
        max(least(one.until_day, other.until_day)) as until_day
    from direct as one
    inner join direct as other
        on
            one.area_code = other.area_code
            and one.since_day <= other.until_day
            and one.until_day >= other.since_day
    where
        one.area_type = 'district'
        and (one.parent_type, other.parent_type) in (
            ('county', 'region'), ('county', 'nation'), ('region', 'nation'), ('force', 'nation')
        )
    group by one.parent_type, one.parent_code, other.parent_type
    having count(distinct other.parent_code) = 1

),

every_pair as (

    select
        area_type,
        area_code,
        parent_type,
        parent_code,
        since_day,
        until_day,
        evidence,
        edition
    from direct
    union all
    select
        area_type,
        area_code,
        parent_type,
        parent_code,
        since_day,
        until_day,
        evidence,
        edition
    from through_districts
    union all
    select
        area_type,
        area_code,
        parent_type,
        parent_code,
        {{ since('null') }} as since_day,
        {{ until('null') }} as until_day,
        'partnerships file' as evidence,
        null::date as edition
    from of_partnerships
    union all
    select
        area_type,
        area_code,
        parent_type,
        parent_code,
        since_day,
        until_day,
        'districts in it' as evidence,
        null::date as edition
    from of_larger

)

-- Times of one pair that follow each other without a gap, as those of two districts in one force,
-- are one.
select
    area_type,
    area_code,
    parent_type,
    parent_code,
    {{ known_first_day('min(since_day)') }} as first_day,
    {{ known_last_day('max(until_day)') }} as last_day,
    arg_max(evidence, strftime(until_day, '%Y-%m-%d') || evidence) as evidence,
    max(edition) as edition
from (
    select
        area_type,
        area_code,
        parent_type,
        parent_code,
        since_day,
        until_day,
        evidence,
        edition,
        sum(starts_anew) over (
            partition by area_type, area_code, parent_type, parent_code
            order by since_day, until_day
            rows between unbounded preceding and current row
        ) as stay
    from (
        select
            area_type,
            area_code,
            parent_type,
            parent_code,
            since_day,
            until_day,
            evidence,
            edition,
            coalesce(
                since_day - 1 > max(until_day) over (
                    partition by area_type, area_code, parent_type, parent_code
                    order by since_day, until_day
                    rows between unbounded preceding and 1 preceding
                ),
                true
            )::integer as starts_anew
        from every_pair
        where since_day <= until_day
    ) as pairs
) as stays
group by area_type, area_code, parent_type, parent_code, stay
