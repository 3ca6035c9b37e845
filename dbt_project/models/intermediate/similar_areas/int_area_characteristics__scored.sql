-- What a district or a partnership of several districts is like, by characteristic, with the score
-- by which it is compared: how many standard deviations its value, or the logarithm of it, is from
-- the mean of the districts.

with places as (

    select
        district_code as measured_code,
        district_name as measured_name,
        district_code,
        true as is_district
    from {{ ref('int_area_figures__latest') }}
    union all
    select
        partnership_code as measured_code,
        csp_name as measured_name,
        area_code as district_code,
        false as is_district
    from {{ ref('int_areas__listed') }}
    where area_type = 'district' and partnership_code <> area_code

),

-- A partnership has the sums of its districts, unknown while that of one of them is.
figures as (

    select
        places.measured_code,
        places.measured_name,
        places.is_district,
        max(figures.mid_year) as mid_year,
        max(figures.stock_date) as stock_date,
        {%- for column in [
            'population', 'population_before', 'area_sq_km', 'all_dwellings', 'social_dwellings'
        ] %}
        case
            when count(figures.{{ column }}) = count(*)
                then sum(figures.{{ column }} order by places.district_code)
        end as {{ column }},
        {%- endfor %}
        {{ all_deliveries('figures.deliveries') }} as deliveries
    from places
    left join {{ ref('int_area_figures__latest') }} as figures
        on places.district_code = figures.district_code
    group by places.measured_code, places.measured_name, places.is_district

),

measured as (

    select
        figures.measured_code,
        figures.measured_name,
        figures.is_district,
        figures.mid_year,
        described.characteristic,
        described.is_compared_by_logarithm,
        case described.characteristic
            when 'population' then figures.population
            when 'people_per_sq_km' then figures.population / nullif(figures.area_sq_km, 0)
            when 'population_change'
                then 100.0 * (figures.population / nullif(figures.population_before, 0) - 1)
            when 'social_rent'
                then 100.0 * figures.social_dwellings / nullif(figures.all_dwellings, 0)
            when 'people_per_dwelling'
                then figures.population / nullif(figures.all_dwellings, 0)
        end::double as figure,
        figures.deliveries
    from figures
    cross join {{ ref('area_characteristics') }} as described

),

known as (

    select
        measured_code,
        measured_name,
        is_district,
        mid_year,
        characteristic,
        figure,
        case when is_compared_by_logarithm then ln(figure) else figure end as compared_figure,
        deliveries
    from measured
    where
        figure is not null
        and (not is_compared_by_logarithm or figure > 0)

),

districts as (

    select
        characteristic,
        avg(compared_figure order by measured_code) as mean_figure,
        stddev_pop(compared_figure order by measured_code) as deviation
    from known
    where is_district
    group by characteristic

)

select
    known.measured_code,
    known.measured_name,
    known.is_district,
    known.mid_year,
    known.characteristic,
    known.figure,
    (known.compared_figure - districts.mean_figure) / nullif(districts.deviation, 0) as score,
    known.deliveries
from known
inner join districts on known.characteristic = districts.characteristic
