-- Each small area by crime type in the latest months: its offences, its rank, and whether it is a
-- hot spot of its force, now and a year before.

with compared as (

    select
        force_code,
        small_area_code,
        crime_type,
        period,
        last_month,
        months_counted,
        offences,
        rank() over (
            partition by force_code, crime_type, period
            order by offences desc
        )::integer as rank_in_force,
        count(*) over (partition by force_code, crime_type, period)::integer as places_of_force,
        deliveries
    from {{ ref('int_small_area_crime__compared') }}

),

-- In how many of the months a small area was among the highest of the force.
months_among_highest as (

    select
        force_code,
        small_area_code,
        crime_type,
        count(*) filter (where rank_of_month <= {{ highest_places('places_of_force') }})::integer
            as months_among_highest
    from (
        select
            counted.force_code,
            counted.small_area_code,
            counted.crime_type,
            sizes.places_of_force,
            rank() over (
                partition by counted.force_code, counted.crime_type, counted.month
                order by counted.offences desc
            ) as rank_of_month
        from {{ ref('int_small_area_crime__by_month') }} as counted
        inner join {{ ref('int_small_area_periods__listed') }} as months
            on
                counted.force_code = months.force_code
                and counted.crime_type = months.crime_type
                and counted.month = months.month
                and months.period = 'latest'
        inner join (
            select distinct
                force_code,
                places_of_force
            from compared
        ) as sizes on counted.force_code = sizes.force_code
    )
    group by force_code, small_area_code, crime_type

)

select
    latest.small_area_code,
    small_areas.small_area_name,
    small_areas.area_code,
    areas.area_name,
    areas.area_type,
    areas.csp,
    latest.crime_type,
    {{ period_key("'twelve_months'", '(latest.last_month - interval 11 month)') }} as period_key,
    last_day(latest.last_month) as period_end,
    {{ period_of_months('latest.months_counted', 'latest.last_month') }} as period_label,
    latest.months_counted,
    latest.offences,
    before.offences as offences_year_before,
    rank() over (
        partition by small_areas.area_code, latest.crime_type
        order by latest.offences desc
    )::integer as rank_in_area,
    latest.rank_in_force,
    latest.places_of_force,
    case
        when latest.rank_in_force <= {{ highest_places('latest.places_of_force') }}
            then 'highest 5%'
        when latest.rank_in_force <= 0.2 * latest.places_of_force then 'next 15%'
        when latest.rank_in_force <= 0.5 * latest.places_of_force then 'next 30%'
        else 'lower half'
    end as band,
    coalesce(months.months_among_highest, 0) as months_among_highest,
    tested.places_around,
    tested.offences_around,
    tested.gi_star,
    case
        when small_areas.boundary is null then 'no boundary'
        else coalesce(tested.verdict, 'not tested')
    end as verdict,
    tested_before.verdict as verdict_year_before,
    case
        when tested.verdict = 'hot spot' and tested_before.verdict = 'hot spot' then 'persistent'
        when tested.verdict = 'hot spot' and tested_before.verdict is not null then 'new'
        when tested_before.verdict = 'hot spot' and tested.verdict is not null then 'past'
    end as persistence,
    {{ row_status(unavailable='before.offences is null') }} as status,
    latest.deliveries
from compared as latest
inner join {{ ref('int_small_areas__described') }} as small_areas
    on latest.small_area_code = small_areas.small_area_code
inner join {{ ref('int_areas__listed') }} as areas on small_areas.area_code = areas.area_code
left join compared as before
    on
        latest.small_area_code = before.small_area_code
        and latest.crime_type = before.crime_type
        and before.period = 'year before'
left join months_among_highest as months
    on
        latest.small_area_code = months.small_area_code
        and latest.crime_type = months.crime_type
left join {{ ref('int_hot_spots__tested') }} as tested
    on
        latest.small_area_code = tested.small_area_code
        and latest.crime_type = tested.crime_type
        and tested.period = 'latest'
left join {{ ref('int_hot_spots__tested') }} as tested_before
    on
        latest.small_area_code = tested_before.small_area_code
        and latest.crime_type = tested_before.crime_type
        and tested_before.period = 'year before'
where latest.period = 'latest'
