-- The rolling figure is the sum of twelve months that each have a count, and null otherwise:
-- worked out here by joining each month to its twelve. Returns the months that differ.
{{ config(meta={'dagster': {'ref': {'name': 'shoplifting_trends'}}}) }}

with months as (

    select
        area_code,
        period_start as month,
        offences,
        rolling_12m_offences
    from {{ ref('shoplifting_trends') }}
    where period_type = 'month'

),

windows as (

    select
        months.area_code,
        months.month,
        any_value(months.rolling_12m_offences) as rolling_12m_offences,
        case when count(within.offences) = 12 then sum(within.offences) end as expected
    from months
    inner join months as within
        on
            months.area_code = within.area_code
            and within.month between months.month - interval 11 month and months.month
    group by months.area_code, months.month

)

select
    area_code,
    month,
    rolling_12m_offences,
    expected
from windows
where rolling_12m_offences is distinct from expected
