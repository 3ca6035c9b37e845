-- The population that divides a rate of a calendar year: the year's own mid-year estimate, or the
-- latest earlier one within the years that it may be carried. A partnership of several districts
-- and a force area are the sum of their districts, and unknown while one of them is or is not
-- named.

with estimates as (

    select
        area_code,
        mid_year,
        population,
        estimator,
        delivery
    from {{ ref('int_populations__estimated') }}
    where estimator = '{{ var("population_estimator") }}'

),

districts as (

    select area_code
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'

),

years_served as (

    select
        districts.area_code,
        estimates.mid_year,
        estimates.population,
        estimates.estimator,
        estimates.delivery,
        carried.years as years_carried,
        (year(estimates.mid_year) + carried.years)::integer as calendar_year
    from estimates
    inner join districts on estimates.area_code = districts.area_code
    cross join generate_series(0, {{ var('population_carry_forward_years') }}) as carried (years)

),

district_populations as (

    select
        area_code,
        calendar_year,
        min(years_carried) > 0 as is_carried_forward,
        arg_min(mid_year, years_carried) as mid_year,
        arg_min(population, years_carried) as population,
        arg_min(estimator, years_carried) as estimator,
        arg_min(delivery, years_carried) as delivery
    from years_served
    group by area_code, calendar_year

),

sums as (

    select
        summed.area_code,
        populations.calendar_year,
        bool_or(populations.is_carried_forward) as is_carried_forward,
        -- The oldest, where districts differ: the sum is no fresher than that.
        min(populations.mid_year) as mid_year,
        sum(populations.population) as population,
        min(populations.estimator) as estimator,
        {{ all_deliveries('populations.delivery') }} as delivery
    from {{ ref('int_areas__summed') }} as summed
    inner join district_populations as populations
        on summed.district_code = populations.area_code
    where summed.is_whole
    group by summed.area_code, populations.calendar_year
    having count(populations.population) = max(summed.districts)

)

select
    area_code,
    calendar_year,
    population::bigint as population,
    mid_year,
    estimator,
    is_carried_forward,
    delivery
from district_populations
union all
select
    area_code,
    calendar_year,
    population::bigint as population,
    mid_year,
    estimator,
    is_carried_forward,
    delivery
from sums
