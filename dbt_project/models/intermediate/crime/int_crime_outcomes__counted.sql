-- Crimes by month of record, district, conformed type and group of their latest known outcome, of
-- the latest months of each force. The street file says the outcome that was known when it was
-- made. An outcomes file says it where the street file knows none, or came in a later quarter. Only
-- what was recorded has a row; crimes that lie in no district of the force have no district.

with force_months as (

    select
        force_code,
        force_name,
        month
    from {{ ref('int_force_months__in_force') }}
    qualify
        month > max(month) over (partition by force_code)
        - interval {{ var('outcome_months') }} month

),

small_areas as (

    select
        small_areas.lsoa_code,
        areas.area_code as district_code,
        areas.force_code
    from {{ ref('int_small_areas__placed') }} as small_areas
    inner join {{ ref('int_areas__listed') }} as areas
        on small_areas.district_code = areas.area_code
    where areas.area_type = 'district'

),

conformed_types as (

    select distinct
        published_name,
        crime_type
    from {{ ref('crime_types') }}

),

open_outcomes as (

    select outcome_type
    from {{ ref('outcome_types') }}
    where outcome_group = '{{ var("no_outcome") }}'

),

crimes as (

    select
        crimes.month,
        force_months.force_code,
        crimes.lsoa_code,
        crimes.published_crime_type,
        case
            when
                latest.crime_id is not null
                and (
                    crimes.last_outcome_category is null
                    or open_outcomes.outcome_type is not null
                    or latest.delivery_quarter > crimes.delivery_quarter
                )
                then latest.outcome_type
            else crimes.last_outcome_category
        end as outcome_type
    from {{ ref('stg_police_uk_street__crimes') }} as crimes
    inner join force_months
        on crimes.force_name = force_months.force_name and crimes.month = force_months.month
    left join {{ ref('int_crime_outcomes__latest') }} as latest
        on crimes.crime_id = latest.crime_id
    left join open_outcomes on crimes.last_outcome_category = open_outcomes.outcome_type
    where crimes.published_crime_type <> '{{ var("incidents") }}'

)

select
    crimes.force_code,
    case
        when small_areas.force_code = crimes.force_code then small_areas.district_code
    end as district_code,
    crimes.month,
    coalesce(types.crime_type, crimes.published_crime_type) as crime_type,
    case
        when crimes.outcome_type is null then '{{ var("no_outcome") }}'
        else coalesce(outcomes.outcome_group, 'Other outcome')
    end as outcome_group,
    count(*)::bigint as offences_with_outcome
from crimes
left join small_areas on crimes.lsoa_code = small_areas.lsoa_code
left join conformed_types as types on crimes.published_crime_type = types.published_name
left join {{ ref('outcome_types') }} as outcomes on crimes.outcome_type = outcomes.outcome_type
group by all
