-- Every crime type of an area compared: the latest twelve months against the twelve before and
-- against the rest of the force, and the last month's signal.

with scanned as (

    select
        counted.area_code,
        counted.area_name,
        counted.area_type,
        counted.csp,
        counted.crime_type,
        counted.period_start,
        counted.period_end,
        counted.period_label,
        counted.offences,
        counted.offences_year_before,
        100 * (counted.offences / nullif(counted.offences_year_before, 0) - 1) as change_percent,
        {{ ratio_lower('counted.offences', 'counted.offences_year_before', 'counted.dispersion') }}
            as change_lower,
        {{ ratio_upper('counted.offences', 'counted.offences_year_before', 'counted.dispersion') }}
            as change_upper,
        changes.compared as compared_with_year_before,
        counted.population,
        counted.rate_per_1000,
        counted.rate_lower,
        counted.rate_upper,
        counted.rest_offences,
        counted.rest_population,
        {{ rate_per_1000('counted.rest_offences', 'counted.rest_population') }}
            as rest_rate_per_1000,
        counted.rest_population::double / counted.population as exposure,
        {{ ratio_lower('counted.offences', 'counted.rest_offences', 'counted.dispersion') }}
            as rest_lower,
        {{ ratio_upper('counted.offences', 'counted.rest_offences', 'counted.dispersion') }}
            as rest_upper,
        rests.compared as compared_with_rest,
        counted.last_month_offences,
        -- The limits of the control chart lie three standard deviations from its average.
        case
            when last_months.compared = 'higher' and last_months.deviate > 3 then 'above limit'
            when last_months.compared = 'lower' and last_months.deviate < -3 then 'below limit'
            when last_months.compared is not null then 'none'
        end as last_month_signal,
        counted.dispersion,
        counted.counts,
        counted.missing_because,
        counted.status,
        counted.deliveries
    from {{ ref('int_crime_scanning__counted') }} as counted
    left join {{ ref('int_crime_scanning__tested') }} as changes
        on
            counted.area_code = changes.area_code
            and counted.crime_type = changes.crime_type
            and changes.question = 'change'
    left join {{ ref('int_crime_scanning__tested') }} as rests
        on
            counted.area_code = rests.area_code
            and counted.crime_type = rests.crime_type
            and rests.question = 'rest'
    left join {{ ref('int_crime_scanning__tested') }} as last_months
        on
            counted.area_code = last_months.area_code
            and counted.crime_type = last_months.crime_type
            and last_months.question = 'month'

)

select
    scanned.area_code,
    scanned.area_name,
    scanned.area_type,
    scanned.csp,
    scanned.crime_type,
    scanned.period_start,
    scanned.period_end,
    scanned.period_label,
    scanned.offences,
    scanned.offences_year_before,
    scanned.change_percent,
    100 * (scanned.change_lower - 1) as change_percent_lower,
    100 * (scanned.change_upper - 1) as change_percent_upper,
    scanned.compared_with_year_before,
    scanned.population,
    scanned.rate_per_1000,
    scanned.rate_lower,
    scanned.rate_upper,
    scanned.rest_offences,
    scanned.rest_population,
    scanned.rest_rate_per_1000,
    scanned.rate_per_1000 / nullif(scanned.rest_rate_per_1000, 0) as rate_ratio,
    scanned.rest_lower * scanned.exposure as rate_ratio_lower,
    scanned.rest_upper * scanned.exposure as rate_ratio_upper,
    scanned.compared_with_rest,
    scanned.last_month_offences,
    scanned.last_month_signal,
    scanned.dispersion,
    scanned.counts,
    scanned.missing_because,
    scanned.status,
    scanned.deliveries
from scanned
