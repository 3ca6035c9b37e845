-- The force counts its known offenders by hand, and sends the charges that they were charged with:
-- for a calendar year with every month's charges both must give the same, and the force's total
-- must be the sum of its districts. A warning, since only the force can say which is right; the
-- message gives shares and no counts of people.
{{ config(
    severity='warn',
    meta={'dagster': {'ref': {'name': 'int_offender_counts__combined'}}}
) }}

with counted_years as (

    select
        areas.force_code,
        in_force.series as force_name,
        date_trunc('year', in_force.period)::date as year_start
    from {{ source('control', 'in_force') }} as in_force
    inner join {{ ref('int_areas__listed') }} as areas
        on
            in_force.series = areas.force_name
            and areas.area_type = 'force'
    where in_force.source = 'police_charges'
    group by areas.force_code, in_force.series, date_trunc('year', in_force.period)
    having count(distinct in_force.period) = 12

),

-- Where each person lived at the first charge of the year that says it, as in the other marts.
people as (

    select
        years.force_code,
        years.year_start,
        charges.person_ref,
        arg_min(
            charges.residence_code,
            -- Not by a reference: that is a pseudonym, and its order changes with the key.
            (charges.charge_date, charges.offence_date, charges.file_id, charges.line)
        ) as area_code
    from counted_years as years
    inner join {{ ref('stg_police_charges__charges') }} as charges
        on
            years.force_name = charges.force_name
            and date_trunc('year', charges.charge_month) = years.year_start
    group by years.force_code, years.year_start, charges.person_ref

),

charged as (

    select
        years.year_start,
        areas.area_code,
        count(people.person_ref) as offenders
    from counted_years as years
    inner join {{ ref('int_district_codes__served') }} as areas
        on years.force_code = areas.force_code
    left join people
        on
            areas.district_code = people.area_code
            and years.force_code = people.force_code
            and years.year_start = people.year_start
    group by years.year_start, areas.area_code

),

supplied as (

    select
        area_code,
        period_start as year_start,
        offenders
    from {{ ref('int_offender_counts__combined') }}
    where period_type = 'calendar_year' and offenders is not null

),

districts as (

    select
        areas.force_code as area_code,
        supplied.year_start,
        sum(supplied.offenders) as offenders
    from supplied
    inner join {{ ref('int_areas__listed') }} as areas on supplied.area_code = areas.area_code
    where areas.area_type = 'district'
    group by areas.force_code, supplied.year_start
    -- A sum of some of the districts is no total.
    having count(*) = (
        select count(*)
        from {{ source('control', 'partnership_areas') }} as served
        where served.force_code = areas.force_code
    )

),

others as (

    select
        area_code,
        year_start,
        offenders,
        'the offenders in its own charges' as counted
    from charged
    union all
    select
        area_code,
        year_start,
        offenders,
        'the sum of its districts' as counted
    from districts

)

select
    areas.area_name || ', ' || year(supplied.year_start)
    || ': the count of known offenders that the force supplied lies '
    || coalesce(
        round(
            100.0 * abs(supplied.offenders - others.offenders) / nullif(others.offenders, 0), 1
        ) || ' % ',
        ''
    )
    || case when supplied.offenders > others.offenders then 'above ' else 'below ' end
    || others.counted || '; ask the force which is right'
    || case
        when areas.area_type = 'force'
            then ', and see that the partnerships file names all its districts'
        else ''
    end as broken_rules
from supplied
inner join others
    on
        supplied.area_code = others.area_code
        and supplied.year_start = others.year_start
inner join {{ ref('int_areas__listed') }} as areas on supplied.area_code = areas.area_code
where supplied.offenders <> others.offenders
