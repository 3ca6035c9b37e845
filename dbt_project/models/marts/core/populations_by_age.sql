-- Mid-year population estimates by sex and year of age: of each district, and of partnerships of
-- several districts and force areas as the sum of theirs, where all of them have one.

with estimates as (

    select
        area_code,
        mid_year,
        sex,
        age,
        population,
        delivery
    from {{ ref('int_populations_by_age__estimated') }}

),

-- Each area with its districts; a district is its own.
members as (

    select
        area_code,
        area_code as district_code,
        1 as districts
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'
    union all
    select
        area_code,
        district_code,
        districts
    from {{ ref('int_areas__summed') }}
    where is_whole

),

editions as (

    select distinct
        mid_year,
        sex,
        age
    from estimates

),

summed as (

    select
        members.area_code,
        editions.mid_year,
        editions.sex,
        editions.age,
        case
            when count(estimates.population) = max(members.districts)
                then sum(estimates.population)
        end::bigint as population,
        {{ all_deliveries('estimates.delivery') }} as delivery
    from members
    cross join editions
    left join estimates
        on
            members.district_code = estimates.area_code
            and editions.mid_year = estimates.mid_year
            and editions.sex = estimates.sex
            and editions.age = estimates.age
    group by members.area_code, editions.mid_year, editions.sex, editions.age

)

select
    {{ period_key("'snapshot'", 'summed.mid_year') }} as period_key,
    'snapshot' as period_type,
    summed.mid_year as period_start,
    summed.mid_year as period_end,
    {{ period_label_of('summed.mid_year', 'summed.mid_year') }} as period_label,
    summed.area_code,
    areas.area_name,
    areas.area_type,
    areas.csp,
    summed.sex,
    summed.age::integer as age,
    summed.population,
    'usual residents' as unit,
    {{ row_status(unavailable='summed.population is null') }} as status,
    summed.delivery as deliveries
from summed
inner join {{ ref('int_areas__listed') }} as areas on summed.area_code = areas.area_code
