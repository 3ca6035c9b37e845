-- Every month from the first with a street delivery in force to the end of the quarter being built,
-- without holes: a month without a file has a row too, and so has one that is not published yet.

with span as (

    select
        min(in_force.period) as first_month,
        date_trunc('month', max(refresh.quarter_end))::date as last_month
    from {{ source('control', 'in_force') }} as in_force
    cross join {{ source('control', 'refresh') }} as refresh
    where
        in_force.source = 'police_uk_street'
        and in_force.period <= refresh.quarter_end

),

months as (

    select unnest(generate_series(first_month, last_month, interval 1 month))::date as month
    from span
    where first_month is not null

)

select
    month,
    strftime(month, '%B %Y') as month_label,
    date_trunc('quarter', month)::date as quarter,
    {{ quarter_label('month') }} as quarter_label,
    year(month)::integer as calendar_year,
    {{ financial_year_label('month') }} as financial_year,
    last_day(month) as month_end
from months
