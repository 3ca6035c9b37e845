-- Every day of the calendar: the time spine that dbt asks for where there are metrics. Only tools
-- that query the metrics read it.

select unnest(generate_series(min(period_start), max(period_end), interval 1 day))::date as day
from {{ ref('int_periods__listed') }}
