-- Offenders of each age group, men and women apart, and per 1,000 people of that age and sex.

with offenders as (

    select
        period_key,
        period_start,
        period_label,
        area_code,
        area_name,
        csp,
        age_group,
        age_order,
        max(offenders) filter (where sex = 'Male') as men,
        max(offenders) filter (where sex = 'Female') as women,
        max(offenders) filter (where sex = 'Not known') as sex_not_known,
        max(offenders) filter (where sex = 'All') as offenders,
        max(population) filter (where sex = 'Male') as population_men,
        max(rate_per_1000) filter (where sex = 'Male') as men_per_1000,
        max(rate_per_1000_status) filter (where sex = 'Male') as men_per_1000_status,
        max(population) filter (where sex = 'Female') as population_women,
        max(rate_per_1000) filter (where sex = 'Female') as women_per_1000,
        max(rate_per_1000_status) filter (where sex = 'Female') as women_per_1000_status,
        any_value(deliveries) as deliveries
    from {{ ref('offender_age_and_sex') }}
    group by
        period_key,
        period_start,
        period_label,
        area_code,
        area_name,
        csp,
        age_group,
        age_order

)

select
    period_key,
    period_start,
    period_label,
    area_code,
    area_name,
    csp,
    -- All ages come last, as a total does.
    case age_group when 'All' then 99 else age_order end::integer as row_order,
    age_group,
    men,
    women,
    sex_not_known,
    offenders,
    population_men,
    men_per_1000,
    men_per_1000_status,
    population_women,
    women_per_1000,
    women_per_1000_status,
    {{ row_status(unavailable='false', not_applicable='false') }} as status,
    deliveries
from offenders
order by period_start, area_code, row_order
