-- Crimes counted by month, place and conformed crime type. Only what was recorded has a row.
-- A month is counted once for each delivery and placing of small areas: of a long history only
-- the new months are read. What no longer holds is removed first.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook='{{ delete_outdated_months() }}'
) }}

with force_months as (

    select
        wanted.force_code,
        wanted.force_name,
        wanted.month,
        wanted.delivery,
        wanted.counted_under
    from ({{ counted_months() }}) as wanted
    {%- if is_incremental() %}
    where not exists (
        select 1
        from {{ this }} as counted
        where wanted.force_code = counted.force_code and wanted.month = counted.month
    )
    {%- endif %}

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

-- One pass over the rows of the archive; what follows works on the few groups that remain.
-- A small area that lies in no district of the force keeps its code: int_crime_strays__judged says
-- whether it is outside.
counted_as_published as (

    select
        crimes.month,
        force_months.force_code,
        case
            when crimes.lsoa_code is null then force_months.force_code || ':unlocated'
            when small_areas.force_code = force_months.force_code then small_areas.district_code
        end as area_code,
        case
            when (small_areas.force_code is distinct from force_months.force_code)
                then crimes.lsoa_code
        end as stray_code,
        -- "Northshire 008A" without its number, which would make a group of each small area.
        case
            when (small_areas.force_code is distinct from force_months.force_code)
                then crimes.lsoa_name
            else left(crimes.lsoa_name, -5)
        end as place_name,
        crimes.published_crime_type,
        count(*) as offences
    from {{ ref('stg_police_uk_street__crimes') }} as crimes
    inner join force_months
        on crimes.force_name = force_months.force_name and crimes.month = force_months.month
    left join small_areas on crimes.lsoa_code = small_areas.lsoa_code
    group by all

),

conformed_types as (

    select distinct
        published_name,
        crime_type
    from {{ ref('crime_types') }}

)

select
    counted.month,
    counted.force_code,
    counted.area_code,
    counted.stray_code,
    case
        when counted.stray_code is null then counted.place_name
        else nullif(regexp_extract(counted.place_name, '^(.+) [0-9]{3}[A-Z]$', 1), '')
    end as named_district,
    coalesce(types.crime_type, counted.published_crime_type) as crime_type,
    force_months.delivery,
    force_months.counted_under,
    sum(counted.offences)::bigint as offences
from counted_as_published as counted
inner join force_months
    on counted.force_code = force_months.force_code and counted.month = force_months.month
left join conformed_types as types
    on counted.published_crime_type = types.published_name
group by all
