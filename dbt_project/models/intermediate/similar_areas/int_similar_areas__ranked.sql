-- The districts of England and Wales that are most like each district and partnership served, the
-- most similar first, or those that the partnerships file lists for it.

with areas as (

    select
        area_code,
        area_name,
        area_type,
        csp
    from {{ ref('int_areas__listed') }}
    where area_type in ('district', 'partnership')

),

own_districts as (

    select
        {{ areas_counted_in('area_code', 'partnership_code', 'null') }} as area_code,
        area_code as district_code
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'

),

compared as (

    select
        areas.area_code,
        others.measured_code as similar_code,
        any_value(others.measured_name) as similar_name,
        count(*) as characteristics,
        sqrt(avg(power(own.score - others.score, 2) order by own.characteristic)) as distance,
        any_value(own.deliveries) as deliveries
    from areas
    inner join {{ ref('int_area_characteristics__scored') }} as own
        on areas.area_code = own.measured_code
    inner join {{ ref('int_area_characteristics__scored') }} as others
        on own.characteristic = others.characteristic
    where own.score is not null and others.is_district
    group by areas.area_code, others.measured_code

),

-- A district is comparable that has every characteristic which the area has.
comparable as (

    select
        compared.area_code,
        compared.similar_code,
        compared.similar_name,
        compared.characteristics,
        compared.distance,
        compared.deliveries
    from compared
    anti join own_districts
        on
            compared.area_code = own_districts.area_code
            and compared.similar_code = own_districts.district_code
    qualify
        compared.characteristics
        = max(compared.characteristics) over (partition by compared.area_code)
        and compared.characteristics >= {{ var('similar_areas_min_characteristics') }}

),

nearest as (

    select
        area_code,
        similar_code,
        similar_name,
        characteristics,
        distance,
        deliveries,
        row_number() over (
            partition by area_code order by distance, similar_code
        )::integer as similarity_rank
    from comparable

),

listed as (

    select
        listed.area_code,
        listed.district_code as similar_code,
        coalesce(names.district_name, listed.district_code) as similar_name,
        nearest.characteristics,
        nearest.distance,
        nearest.deliveries,
        listed.list_position as similarity_rank
    from {{ source('control', 'partnership_similar_districts') }} as listed
    left join {{ ref('int_area_figures__latest') }} as names
        on listed.district_code = names.district_code
    left join nearest
        on
            listed.area_code = nearest.area_code
            and listed.district_code = nearest.similar_code

),

chosen as (

    select
        area_code,
        similar_code,
        similar_name,
        characteristics,
        distance,
        deliveries,
        similarity_rank,
        'characteristics' as chosen_by
    from nearest
    where
        similarity_rank <= {{ var('similar_areas') }}
        and area_code not in (select listed.area_code from listed)
    union all
    select
        area_code,
        similar_code,
        similar_name,
        characteristics,
        distance,
        deliveries,
        similarity_rank,
        'partnerships file' as chosen_by
    from listed

)

select
    areas.area_code,
    areas.area_name,
    areas.area_type,
    areas.csp,
    chosen.similarity_rank,
    chosen.similar_code,
    chosen.similar_name,
    chosen.chosen_by,
    chosen.characteristics,
    chosen.distance,
    chosen.deliveries
from chosen
inner join areas on chosen.area_code = areas.area_code
