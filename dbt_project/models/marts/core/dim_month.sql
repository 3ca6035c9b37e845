-- Months without holes, with the quarters and years that they belong to.

select
    month,
    {{ period_key("'month'", 'month') }} as period_key,
    month_label,
    quarter,
    quarter_label,
    calendar_year,
    financial_year,
    month_end
from {{ ref('int_months__spanned') }}
order by month
