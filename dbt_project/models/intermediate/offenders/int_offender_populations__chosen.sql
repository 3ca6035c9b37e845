-- The population that divides offenders of a year: the local research group's estimate, of the
-- year or carried forward, which the printed rates use; where it has none, the population that
-- divides every other rate.

with estimates as (

    select
        area_code,
        mid_year,
        population,
        estimator,
        delivery
    from {{ ref('int_populations__estimated') }}
    where estimator = 'research_group'

),

districts as (

    select area_code
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'

),

years_served as (

    select
        districts.area_code,
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

-- Partnerships of several districts and force areas are the sum of their districts, unknown while
-- one of them is or is not named.
sum_years as (

    select
        summed.area_code,
        years.calendar_year,
        min(years.mid_year) as mid_year,
        sum(years.population) as population,
        any_value(years.estimator) as estimator,
        max(years.years_carried) as years_carried,
        {{ all_deliveries('years.delivery') }} as delivery
    from years_served as years
    inner join {{ ref('int_areas__summed') }} as summed on years.area_code = summed.district_code
    where summed.is_whole
    group by summed.area_code, years.calendar_year
    having count(*) = max(summed.districts)

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
    from sum_years
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
