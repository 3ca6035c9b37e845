-- How far the crime of an area is concentrated in few small areas, by crime type: the share of the
-- highest 5 % of places, and what share those of a year before have now, which chance cannot raise.

with places as (

    select
        spots.small_area_code,
        spots.small_area_name,
        spots.area_code as district_code,
        areas.partnership_code,
        areas.force_code,
        spots.crime_type,
        spots.period_end,
        spots.period_label,
        spots.months_counted,
        spots.offences,
        spots.offences_year_before,
        spots.verdict,
        spots.verdict_year_before,
        spots.persistence,
        spots.deliveries
    from {{ ref('crime_hot_spots') }} as spots
    inner join {{ ref('int_areas__listed') }} as areas on spots.area_code = areas.area_code

),

-- A place is in its district, in its partnership of several districts, and in its force.
areas_of_places as (

    select
        unnest(list_distinct([district_code, partnership_code, force_code])) as area_code,
        small_area_code,
        small_area_name,
        crime_type,
        period_end,
        period_label,
        months_counted,
        offences,
        offences_year_before,
        verdict,
        verdict_year_before,
        persistence,
        deliveries
    from places

),

ordered as (

    select
        area_code,
        small_area_code,
        small_area_name,
        crime_type,
        period_end,
        period_label,
        months_counted,
        offences,
        offences_year_before,
        verdict,
        verdict in ('hot spot', 'cold spot', 'not clear') as is_tested,
        verdict_year_before,
        persistence,
        deliveries,
        row_number() over (
            partition by area_code, crime_type
            order by offences desc, small_area_code asc
        ) as place,
        row_number() over (
            partition by area_code, crime_type
            order by offences_year_before desc nulls last, small_area_code asc
        ) as place_year_before,
        count(*) over (partition by area_code, crime_type) as places
    from areas_of_places

),

summed as (

    select
        area_code,
        crime_type,
        max(period_end) as period_end,
        max(period_label) as period_label,
        max(months_counted) as months_counted,
        max(places)::integer as places,
        {{ highest_places('max(places)') }}::integer as highest_places,
        sum(offences)::bigint as offences,
        sum(offences) filter (where place <= {{ highest_places('places') }})::bigint
            as offences_in_highest,
        sum(offences_year_before)::bigint as offences_year_before,
        sum(offences) filter (where place_year_before <= {{ highest_places('places') }})::bigint
            as offences_in_earlier_highest,
        (count(*) filter (where verdict = 'hot spot'))::integer as hot_spots,
        (count(*) filter (where verdict = 'cold spot'))::integer as cold_spots,
        -- Not known where the year before, or these months, are not tested.
        case
            when bool_or(is_tested and verdict_year_before is not null)
                then count(*) filter (where persistence = 'persistent')
        end::integer as persistent_hot_spots,
        (count(*) filter (where is_tested))::integer as places_tested,
        coalesce(sum(offences) filter (where verdict = 'no boundary'), 0)::bigint
            as offences_without_boundary,
        string_agg(
            coalesce(small_area_name, small_area_code), '; ' order by place
        ) filter (where verdict = 'hot spot') as hot_spot_names,
        any_value(deliveries) as deliveries
    from ordered
    group by area_code, crime_type

)

select
    summed.area_code,
    areas.area_name,
    areas.area_type,
    areas.csp,
    summed.crime_type,
    {{ period_key("'twelve_months'", '(summed.period_end - interval 1 year + interval 1 day)') }}
        as period_key,
    summed.period_end,
    summed.period_label,
    summed.months_counted,
    summed.places,
    summed.highest_places,
    summed.offences,
    summed.offences_in_highest,
    {{ proportion('summed.offences_in_highest', 'summed.offences') }} as share_of_highest,
    case
        when summed.offences_year_before > 0 then summed.offences_in_earlier_highest
    end as offences_in_earlier_highest,
    case
        when summed.offences_year_before > 0
            then {{ proportion('summed.offences_in_earlier_highest', 'summed.offences') }}
    end as share_of_earlier_highest,
    case
        when summed.offences_year_before > 0
            then {{ proportion_lower('summed.offences_in_earlier_highest', 'summed.offences') }}
    end as share_of_earlier_highest_lower,
    case
        when summed.offences_year_before > 0
            then {{ proportion_upper('summed.offences_in_earlier_highest', 'summed.offences') }}
    end as share_of_earlier_highest_upper,
    summed.places_tested,
    case when summed.places_tested > 0 then summed.hot_spots end as hot_spots,
    case when summed.places_tested > 0 then summed.cold_spots end as cold_spots,
    summed.persistent_hot_spots,
    summed.hot_spot_names,
    summed.offences_without_boundary,
    case when summed.offences = 0 then '[z]' end as status,
    summed.deliveries
from summed
inner join {{ ref('int_areas__listed') }} as areas on summed.area_code = areas.area_code
