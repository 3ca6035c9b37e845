-- The population that divides a rate of a calendar year: the year's own mid-year estimate, or the
-- latest earlier one within the years that it may be carried. A force area is the sum of its
-- districts, and unknown while one of them is or is not named.

with estimates as (

    select
        area_code,
        mid_year,
        population,
        estimator,
        delivery
    from {{ ref('stg_population_estimates__populations') }}
    where estimator = '{{ var("population_estimator") }}'

),

districts as (

    select
        area_code,
        force_code
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'

),

years_served as (

    select
        districts.area_code,
        districts.force_code,
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
        force_code,
        calendar_year,
        min(years_carried) > 0 as is_carried_forward,
        arg_min(mid_year, years_carried) as mid_year,
        arg_min(population, years_carried) as population,
        arg_min(estimator, years_carried) as estimator,
        arg_min(delivery, years_carried) as delivery
    from years_served
    group by area_code, force_code, calendar_year

),

force_sizes as (

    select
        districts.force_code,
        count(*) as districts
    from districts
    inner join {{ ref('int_force_districts__named') }} as named
        on districts.force_code = named.force_code
    where named.is_whole
    group by districts.force_code

),

force_populations as (

    select
        district_populations.force_code as area_code,
        district_populations.calendar_year,
        bool_or(district_populations.is_carried_forward) as is_carried_forward,
        -- The oldest, where districts differ: the sum is no fresher than that.
        min(district_populations.mid_year) as mid_year,
        sum(district_populations.population) as population,
        min(district_populations.estimator) as estimator,
        {{ all_deliveries('district_populations.delivery') }} as delivery
    from district_populations
    inner join force_sizes on district_populations.force_code = force_sizes.force_code
    group by
        district_populations.force_code,
        district_populations.calendar_year,
        force_sizes.districts
    having count(district_populations.population) = force_sizes.districts

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
from force_populations
