-- The population of an age group and sex that divides people of a year: the year's own mid-year
-- estimate, or the latest earlier one within the years that it may be carried. A partnership of
-- several districts and a force area are the sum of their districts, and unknown while one of them
-- is. Nobody under ten can be charged, so the youngest group begins there.

with age_groups as (

    select
        category as age_group,
        greatest(age_from, {{ var('age_of_responsibility') }}) as age_from,
        age_to
    from {{ ref('offender_profile_categories') }}
    where dimension = 'age group' and is_known
    union all
    select
        'All' as age_group,
        {{ var('age_of_responsibility') }} as age_from,
        150 as age_to
    union all
    select
        'Aged 10 to 17' as age_group,
        {{ var('age_of_responsibility') }} as age_from,
        17 as age_to

),

estimates as (

    select
        area_code,
        mid_year,
        unnest([sex, 'All']) as sex,
        age,
        population,
        delivery
    from {{ ref('int_populations_by_age__estimated') }}

),

-- Every year of age of both sexes, or nothing.
grouped as (

    select
        estimates.area_code,
        estimates.mid_year,
        age_groups.age_group,
        estimates.sex,
        sum(estimates.population)::bigint as population,
        {{ all_deliveries('estimates.delivery') }} as delivery
    from estimates
    inner join age_groups on estimates.age between age_groups.age_from and age_groups.age_to
    group by
        estimates.area_code,
        estimates.mid_year,
        age_groups.age_group,
        age_groups.age_from,
        age_groups.age_to,
        estimates.sex
    having
        count(*)
        = (least(age_groups.age_to, {{ var('oldest_age') }}) - age_groups.age_from + 1)
        * case when estimates.sex = 'All' then 2 else 1 end

),

years_served as (

    select
        grouped.area_code,
        grouped.age_group,
        grouped.sex,
        (year(grouped.mid_year) + carried.years)::integer as calendar_year,
        min(carried.years) > 0 as is_carried_forward,
        arg_min(grouped.mid_year, carried.years) as mid_year,
        arg_min(grouped.population, carried.years) as population,
        arg_min(grouped.delivery, carried.years) as delivery
    from grouped
    cross join generate_series(0, {{ var('population_carry_forward_years') }}) as carried (years)
    group by all

),

sums as (

    select
        summed.area_code,
        years.age_group,
        years.sex,
        years.calendar_year,
        bool_or(years.is_carried_forward) as is_carried_forward,
        -- The oldest, where districts differ: the sum is no fresher than that.
        min(years.mid_year) as mid_year,
        sum(years.population)::bigint as population,
        {{ all_deliveries('years.delivery') }} as delivery
    from {{ ref('int_areas__summed') }} as summed
    inner join years_served as years on summed.district_code = years.area_code
    where summed.is_whole
    group by summed.area_code, years.age_group, years.sex, years.calendar_year
    having count(*) = max(summed.districts)

)

select
    area_code,
    calendar_year,
    age_group,
    sex,
    population,
    mid_year,
    is_carried_forward,
    delivery
from years_served
union all
select
    area_code,
    calendar_year,
    age_group,
    sex,
    population,
    mid_year,
    is_carried_forward,
    delivery
from sums
