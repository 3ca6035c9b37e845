-- Calendar and financial years of which all four quarters have been returned, for each youth
-- offending service. A quarter belongs to one of each; the two kinds of year never share a key.

with returned_quarters as (

    select
        series as youth_offending_service,
        period as quarter,
        delivery
    from {{ source('control', 'in_force') }}
    where source = 'youth_offending'

),

quarters_by_year as (

    select
        youth_offending_service,
        'calendar_year' as period_type,
        date_trunc('year', quarter)::date as period_start,
        quarter,
        delivery
    from returned_quarters
    union all
    select
        youth_offending_service,
        'financial_year' as period_type,
        {{ financial_year_start('quarter') }} as period_start,
        quarter,
        delivery
    from returned_quarters

)

select
    youth_offending_service,
    period_type,
    period_start,
    (period_start + interval 1 year - interval 1 day)::date as period_end,
    {{ period_label_of('period_start', "(period_start + interval 1 year - interval 1 day)") }}
        as period_label,
    {{ all_deliveries('delivery') }} as delivery
from quarters_by_year
group by youth_offending_service, period_type, period_start
having count(distinct quarter) = 4
