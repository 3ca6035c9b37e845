-- Every period that a figure can be about: months, quarters, half-years and years of the calendar,
-- twelve months to each month, and the days and other periods that snapshots and returns are of.

with calendar_periods as (

    select
        period_type,
        period_start,
        period_end
    from {{ ref('int_periods__listed') }}

),

labelled as (

    select
        period_type,
        period_start,
        period_end,
        case period_type
            when 'month' then strftime(period_start, '%B %Y')
            when 'twelve_months' then 'Twelve months to ' || strftime(period_end, '%B %Y')
            else {{ period_label_of('period_start', 'period_end') }}
        end as period_label,
        date_trunc('quarter', period_start)::date as quarter,
        date_trunc('quarter', period_end)::date as last_quarter
    from calendar_periods

)

select
    {{ period_key('labelled.period_type', 'labelled.period_start') }} as period_key,
    labelled.period_type,
    labelled.period_start,
    labelled.period_end,
    labelled.period_label,
    row_number() over (
        order by labelled.period_type, labelled.period_start, labelled.period_end
    )::integer as period_order,
    case when labelled.quarter = labelled.last_quarter then labelled.quarter end as quarter,
    case
        when labelled.quarter = labelled.last_quarter
            then {{ quarter_label('labelled.quarter') }}
    end as quarter_label,
    case
        when year(labelled.period_start) = year(labelled.period_end)
            then year(labelled.period_start)::integer
    end as calendar_year,
    case
        when
            {{ financial_year_start('labelled.period_start') }}
            = {{ financial_year_start('labelled.period_end') }}
            then {{ financial_year_label('labelled.period_start') }}
    end as financial_year,
    labelled.period_start > refresh.quarter_end as is_after_quarter
from labelled
cross join {{ source('control', 'refresh') }} as refresh
order by period_order
