-- The population that divides offenders of a year: the county research group's estimate, of the
-- year or carried forward, which the printed rates use; where it has none, the population that
-- divides every other rate.

with estimates as (

    select
        area_code,
        mid_year,
        population,
        estimator,
        delivery
    from {{ ref('stg_population_estimates__populations') }}
    where estimator = 'research_group'

),

districts as (

    select
        area_code,
        force_code,
        count(*) over (partition by force_code) as force_districts
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'

),

years_served as (

    select
        districts.area_code,
        districts.force_code,
        districts.force_districts,
        (year(estimates.mid_year) + carried.years)::integer as calendar_year,
        estimates.mid_year,
        estimates.population,
        estimates.estimator,
        estimates.delivery,
        carried.years as years_carried
    from estimates
    inner join districts on estimates.area_code = districts.area_code
    cross join generate_series(0, {{ var('population_carry_forward_years') }}) as carried (years)
    qualify row_number() over (
        partition by districts.area_code, year(estimates.mid_year) + carried.years
        order by carried.years
    ) = 1

),

-- A force area is the sum of its districts, unknown while one of them is or is not named.
force_years as (

    select
        years.force_code as area_code,
        years.calendar_year,
        min(years.mid_year) as mid_year,
        sum(years.population) as population,
        any_value(years.estimator) as estimator,
        max(years.years_carried) as years_carried,
        {{ all_deliveries('years.delivery') }} as delivery
    from years_served as years
    inner join {{ ref('int_force_districts__named') }} as named
        on years.force_code = named.force_code
    where named.is_whole
    group by years.force_code, years.force_districts, years.calendar_year
    having count(*) = years.force_districts

),

ranked as (

    select
        area_code,
        calendar_year,
        population,
        mid_year,
        estimator,
        years_carried > 0 as is_carried_forward,
        delivery,
        1 as preference
    from years_served
    union all
    select
        area_code,
        calendar_year,
        population,
        mid_year,
        estimator,
        years_carried > 0 as is_carried_forward,
        delivery,
        1 as preference
    from force_years
    union all
    select
        area_code,
        calendar_year,
        population,
        mid_year,
        estimator,
        is_carried_forward,
        delivery,
        2 as preference
    from {{ ref('int_populations__carried') }}

)

select
    area_code,
    calendar_year,
    population::bigint as population,
    mid_year,
    estimator,
    is_carried_forward,
    delivery
from ranked
qualify row_number() over (partition by area_code, calendar_year order by preference) = 1
