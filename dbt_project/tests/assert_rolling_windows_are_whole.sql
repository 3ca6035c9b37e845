-- The rolling figure is the sum of twelve months that each have a count, with no break in the
-- series among them, and null otherwise: worked out here by joining each month to its twelve.
-- Returns the months that differ.
{{ config(meta={'dagster': {'ref': {'name': 'crime_trends'}}}) }}

with months as (

    select
        trends.area_code,
        trends.crime_type,
        trends.period_start as month,
        trends.offences,
        trends.rolling_12m_offences,
        counted.is_after_break
    from {{ ref('crime_trends') }} as trends
    inner join {{ ref('int_crime_trends__counted') }} as counted
        on
            trends.area_code = counted.area_code
            and trends.crime_type = counted.crime_type
            and trends.period_type = counted.period_type
            and trends.period_start = counted.period_start
    where trends.period_type = 'month'

),

windows as (

    select
        months.area_code,
        months.crime_type,
        months.month,
        any_value(months.rolling_12m_offences) as rolling_12m_offences,
        -- A series may break at the first of the twelve: all of them follow the break.
        case
            when
                count(within.offences) = 12
                and not bool_or(
                    within.is_after_break
                    and within.month > months.month - interval 11 month
                )
                then sum(within.offences)
        end as expected
    from months
    inner join months as within
        on
            months.area_code = within.area_code
            and months.crime_type = within.crime_type
            and within.month between months.month - interval 11 month and months.month
    group by months.area_code, months.crime_type, months.month

)

select
    area_code,
    crime_type,
    month,
    rolling_12m_offences,
    expected
from windows
where rolling_12m_offences is distinct from expected
