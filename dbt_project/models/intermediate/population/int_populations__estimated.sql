-- Estimates of the districts served, by mid-year and estimator. A district that was recoded or
-- merged has that of its own code, or else the sum of those of the districts that it was made of,
-- where all of them have one.

with estimates as (

    select
        served.area_code,
        served.district_code,
        served.is_predecessor,
        served.first_districts,
        served.area_first_districts,
        populations.mid_year,
        populations.population,
        populations.estimator,
        populations.delivery
    from {{ ref('stg_population_estimates__populations') }} as populations
    inner join {{ ref('int_district_codes__served') }} as served
        on populations.area_code = served.district_code

),

own as (

    select
        area_code,
        mid_year,
        estimator,
        population,
        delivery
    from estimates
    where not is_predecessor

),

summed as (

    select
        area_code,
        mid_year,
        estimator,
        sum(population)::bigint as population,
        {{ all_deliveries('delivery') }} as delivery
    from estimates
    where is_predecessor and population is not null
    group by area_code, mid_year, estimator
    having sum(first_districts) = max(area_first_districts)

)

select
    coalesce(own.area_code, summed.area_code) as area_code,
    coalesce(own.mid_year, summed.mid_year) as mid_year,
    coalesce(own.estimator, summed.estimator) as estimator,
    coalesce(own.population, summed.population) as population,
    case when own.population is null then summed.delivery else own.delivery end as delivery
from own
full outer join summed
    on
        own.area_code = summed.area_code
        and own.mid_year = summed.mid_year
        and own.estimator = summed.estimator
