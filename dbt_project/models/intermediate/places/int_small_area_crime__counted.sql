-- Offences by small area, month and conformed crime type, of the latest months of each force. Only
-- what was recorded has a row.

with force_months as (

    select
        force_code,
        force_name,
        month,
        delivery
    from {{ ref('int_force_months__in_force') }}
    qualify
        month > max(month) over (partition by force_code)
        - interval {{ var('small_area_months') }} month

),

conformed_types as (

    select distinct
        published_name,
        crime_type
    from {{ ref('crime_types') }}

)

select
    small_areas.small_area_code,
    small_areas.force_code,
    crimes.month,
    coalesce(types.crime_type, crimes.published_crime_type) as crime_type,
    force_months.delivery,
    count(*)::bigint as offences
from {{ ref('stg_police_uk_street__crimes') }} as crimes
inner join force_months
    on crimes.force_name = force_months.force_name and crimes.month = force_months.month
inner join {{ ref('int_small_areas__followed') }} as small_areas
    on
        crimes.lsoa_code = small_areas.lsoa_code
        and force_months.force_code = small_areas.force_code
left join conformed_types as types on crimes.published_crime_type = types.published_name
group by all
