-- Figure 4: first-time entrants to youth offending services by financial year, per 1,000 people
-- aged 10 to 17, and the commonest first offences among them. Offences that share a place stand
-- together.

with entrants as (

    select
        area_code,
        area_name,
        csp,
        period_type,
        period_start,
        period_end,
        period_label,
        young_people as first_time_entrants,
        population_aged_10_to_17,
        rate_per_1000,
        rate_lower,
        rate_upper,
        rate_per_1000_status,
        status,
        deliveries
    from {{ ref('youth_offenders') }}
    where
        cohort = 'first-time entrants'
        and dimension = 'all'
        and period_type = 'financial_year'
        and area_type in ('district', 'partnership', 'force')

),

ranked_offences as (

    select
        area_code,
        period_start,
        category as offence,
        young_people,
        dense_rank() over (
            partition by area_code, period_start order by young_people desc
        ) as place
    from {{ ref('youth_offenders') }}
    where
        cohort = 'first-time entrants'
        and dimension = 'first offence'
        and period_type = 'financial_year'
        and young_people > 0

),

commonest as (

    select
        area_code,
        period_start,
        string_agg(offence, '; ' order by offence) filter (where place = 1) as first_offence,
        max(young_people) filter (where place = 1) as first_offence_entrants,
        string_agg(offence, '; ' order by offence) filter (where place = 2) as second_offence,
        max(young_people) filter (where place = 2) as second_offence_entrants
    from ranked_offences
    group by area_code, period_start

)

select
    entrants.area_code,
    entrants.area_name,
    entrants.csp,
    entrants.period_type,
    entrants.period_start,
    entrants.period_end,
    entrants.period_label,
    entrants.first_time_entrants,
    entrants.first_time_entrants - year_before.first_time_entrants as change_on_year,
    (
        100.0 * (entrants.first_time_entrants - year_before.first_time_entrants)
        / nullif(year_before.first_time_entrants, 0)
    )::double as change_on_year_percent,
    entrants.population_aged_10_to_17,
    entrants.rate_per_1000,
    entrants.rate_lower,
    entrants.rate_upper,
    entrants.rate_per_1000_status,
    commonest.first_offence as commonest_first_offence,
    commonest.first_offence_entrants as commonest_first_offence_entrants,
    commonest.second_offence as second_first_offence,
    commonest.second_offence_entrants as second_first_offence_entrants,
    {{ row_status(unavailable='entrants.first_time_entrants is null') }} as status,
    entrants.deliveries
from entrants
left join entrants as year_before
    on
        entrants.area_code = year_before.area_code
        and entrants.period_start = year_before.period_start + interval 1 year
left join commonest
    on
        entrants.area_code = commonest.area_code
        and entrants.period_start = commonest.period_start
