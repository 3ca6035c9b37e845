-- The three marts of offenders count the same people: every dimension of the profile, and the
-- frequency, add up to the financial year's count, and the force's to its districts'.

{{ config(meta={'dagster': {'ref': {'name': 'offender_rates'}}}) }}

with rates as (

    select
        rates.area_code,
        rates.period_start,
        rates.offenders,
        areas.force_code,
        rates.area_type
    from {{ ref('offender_rates') }} as rates
    inner join {{ ref('int_areas__listed') }} as areas on rates.area_code = areas.area_code
    where rates.period_type = 'financial_year'

),

profile as (

    select
        area_code,
        period_start,
        'profile by ' || dimension as counted,
        sum(offenders) as offenders
    from {{ ref('offender_profile') }}
    group by area_code, period_start, dimension

),

frequency as (

    select
        area_code,
        period_start,
        'frequency' as counted,
        sum(offenders) as offenders
    from {{ ref('int_offenders__by_offences') }}
    group by area_code, period_start

),

districts as (

    select
        force_code as area_code,
        period_start,
        'districts of the force' as counted,
        sum(offenders) as offenders
    from rates
    where area_type = 'district'
    group by force_code, period_start

),

others as (

    select
        area_code,
        period_start,
        counted,
        offenders
    from profile
    union all
    select
        area_code,
        period_start,
        counted,
        offenders
    from frequency
    union all
    select
        area_code,
        period_start,
        counted,
        offenders
    from districts

)

select others.counted || ' does not add up to the count of ' || rates.area_code as broken_rules
from rates
inner join others
    on
        rates.area_code = others.area_code
        and rates.period_start = others.period_start
where rates.offenders is distinct from others.offenders
