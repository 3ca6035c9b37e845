-- Estimates by sex and year of age of the districts served. A district that was recoded or merged
-- has that of its own code, or else the sum of those of the districts that it was made of, where
-- all of them have one.

with estimates as (

    select
        served.area_code,
        served.is_predecessor,
        served.first_districts,
        served.area_first_districts,
        populations.mid_year,
        populations.sex,
        populations.age,
        populations.population,
        populations.delivery
    from {{ ref('stg_population_by_age__estimates') }} as populations
    inner join {{ ref('int_district_codes__served') }} as served
        on populations.area_code = served.district_code

),

own as (

    select
        area_code,
        mid_year,
        sex,
        age,
        population,
        delivery
    from estimates
    where not is_predecessor

),

summed as (

    select
        area_code,
        mid_year,
        sex,
        age,
        sum(population)::bigint as population,
        {{ all_deliveries('delivery') }} as delivery
    from estimates
    where is_predecessor
    group by area_code, mid_year, sex, age
    having sum(first_districts) = max(area_first_districts)

)

select
    area_code,
    mid_year,
    sex,
    age,
    population,
    delivery
from own
union all
select
    summed.area_code,
    summed.mid_year,
    summed.sex,
    summed.age,
    summed.population,
    summed.delivery
from summed
where not exists (
    select 1
    from own
    where
        own.area_code = summed.area_code
        and own.mid_year = summed.mid_year
        and own.sex = summed.sex
        and own.age = summed.age
)
