-- The population of each place of the Home Office's table by calendar year: the year's own mid-year
-- estimate or the latest within the years that it may be carried, and for police forces and all of
-- them the sum, where every partnership has one.

with estimates as (

    select
        area_code,
        mid_year,
        population,
        delivery
    from {{ ref('stg_population_estimates__populations') }}
    where estimator = '{{ var("population_estimator") }}' and population is not null

),

carried as (

    select
        estimates.area_code,
        (year(estimates.mid_year) + carried.years)::integer as calendar_year,
        arg_min(estimates.population, carried.years) as population,
        min(carried.years) > 0 as is_carried_forward,
        arg_min(estimates.delivery, carried.years) as delivery
    from estimates
    cross join generate_series(0, {{ var('population_carry_forward_years') }}) as carried (years)
    group by estimates.area_code, year(estimates.mid_year) + carried.years

),

years as (

    select distinct year(quarter)::integer as calendar_year
    from {{ ref('stg_recorded_crime_by_csp__offences') }}

),

-- What a force could not place has nobody living in it.
partnerships as (

    select
        placed.police_force,
        placed.csp_name,
        years.calendar_year,
        carried.population,
        carried.is_carried_forward,
        carried.delivery
    from {{ ref('int_recorded_crime__placed') }} as placed
    cross join years
    left join carried
        on
            placed.gss_code = carried.area_code
            and years.calendar_year = carried.calendar_year
    where not placed.is_unassigned

),

with_sums as (

    select
        levels.place_level,
        case when levels.place_level <> 'all' then places.police_force end as police_force,
        case when levels.place_level = 'partnership' then places.csp_name end as csp_name,
        places.calendar_year,
        places.population,
        places.is_carried_forward,
        places.delivery
    from partnerships as places
    cross join (
        values ('partnership'), ('force'), ('all')
    ) as levels (place_level)

)

select
    police_force,
    csp_name,
    calendar_year,
    case when count(population) = count(*) then sum(population) end::bigint as population,
    coalesce(bool_or(is_carried_forward), false) as is_carried_forward,
    {{ all_deliveries('delivery') }} as delivery
from with_sums
group by place_level, police_force, csp_name, calendar_year
