-- Offences of each small area and crime type in the latest months, for every area that it lies in,
-- with how deprived it is; null where the index does not have it.

with compared as (

    select
        small_area_code,
        crime_type,
        last_month,
        months_counted,
        offences,
        deliveries
    from {{ ref('int_small_area_crime__compared') }}
    where period = 'latest'

),

-- Since its offences are counted under later codes, it is neither a place nor residents.
replaced as (

    select small_area_code
    from compared
    where
        small_area_code in (
            select changes.predecessor_code
            from {{ ref('stg_area_lookups__small_area_changes') }} as changes
            where changes.predecessor_code <> changes.successor_code
        )
    group by small_area_code
    having sum(offences) = 0

)

-- A place is in its district, in its partnership of several districts, and in its force.
select
    unnest(list_distinct([areas.area_code, areas.partnership_code, areas.force_code])) as area_code,
    compared.small_area_code,
    compared.crime_type,
    compared.last_month,
    compared.months_counted,
    compared.offences,
    deprivation.indexed_code,
    deprivation.deprivation_year,
    deprivation.deprivation_decile,
    deprivation.population,
    deprivation.population_mid_year,
    {{ joined_deliveries('compared.deliveries', 'deprivation.delivery') }} as deliveries
from compared
inner join {{ ref('int_small_areas__described') }} as small_areas
    on compared.small_area_code = small_areas.small_area_code
inner join {{ ref('int_areas__listed') }} as areas on small_areas.area_code = areas.area_code
left join {{ ref('int_deprivation__followed') }} as deprivation
    on compared.small_area_code = deprivation.small_area_code
where compared.small_area_code not in (select replaced.small_area_code from replaced)
