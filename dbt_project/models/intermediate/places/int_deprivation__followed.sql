-- How deprived each small area that is counted is, by the newest edition of the index in force: by
-- its own code, or by the code that it had or has where a single one became a single one.

with newest as (

    select
        lsoa_code,
        deprivation_year,
        deprivation_rank,
        deprivation_decile,
        population,
        population_mid_year,
        delivery
    from {{ ref('stg_deprivation_indices__small_areas') }}
    qualify edition = max(edition) over ()

),

-- A part of a small area, or several together, are not as deprived as the whole.
renamed as (

    select
        predecessor_code,
        successor_code
    from {{ ref('stg_area_lookups__small_area_changes') }}
    qualify
        count(*) over (partition by predecessor_code) = 1
        and count(*) over (partition by successor_code) = 1

),

codes as (

    select
        small_area_code,
        small_area_code as indexed_code,
        1 as preference
    from {{ ref('int_small_areas__described') }}
    union all
    select
        successor_code as small_area_code,
        predecessor_code as indexed_code,
        2 as preference
    from renamed
    union all
    select
        predecessor_code as small_area_code,
        successor_code as indexed_code,
        3 as preference
    from renamed

)

select
    small_areas.small_area_code,
    codes.indexed_code,
    newest.deprivation_year,
    newest.deprivation_rank,
    newest.deprivation_decile,
    newest.population,
    newest.population_mid_year,
    newest.delivery
from {{ ref('int_small_areas__described') }} as small_areas
inner join codes on small_areas.small_area_code = codes.small_area_code
inner join newest on codes.indexed_code = newest.lsoa_code
qualify
    row_number() over (
        partition by small_areas.small_area_code
        order by codes.preference, codes.indexed_code
    ) = 1
