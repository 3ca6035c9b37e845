-- Every crime type of an area: how far it is concentrated in few small areas, and its hot spots.

select
    area_code,
    area_name,
    csp,
    row_number() over (
        partition by area_code
        order by crime_type <> '{{ var("total_crime") }}', offences desc, crime_type asc
    )::integer as row_order,
    crime_type,
    period_end,
    period_key,
    period_label,
    offences,
    places,
    highest_places,
    share_of_highest,
    share_of_earlier_highest,
    share_of_earlier_highest_lower,
    share_of_earlier_highest_upper,
    round(100 * share_of_earlier_highest_lower)::bigint || '% to '
    || round(100 * share_of_earlier_highest_upper)::bigint || '%' as earlier_limits,
    hot_spots,
    persistent_hot_spots,
    case
        when places_tested = 0 then 'not tested'
        when hot_spots = 0 then 'none'
        else
            array_to_string(
                list_slice(string_split(hot_spot_names, '; '), 1, {{ var('hot_spots_named') }}),
                '; '
            ) || case
                when hot_spots > {{ var('hot_spots_named') }}
                    then ' and ' || hot_spots - {{ var('hot_spots_named') }} || ' more'
                else ''
            end
    end as hot_spot_names,
    status,
    deliveries
from {{ ref('crime_concentration') }}
