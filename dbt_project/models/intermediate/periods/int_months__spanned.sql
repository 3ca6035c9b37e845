-- Every month from the first to the last with a street delivery in force or, where a force is known
-- to have supplied none since, to the last of these, without holes, and never beyond the quarter
-- being built: a month without a file has a row too.

with in_force as (

    select
        min(in_force.period) as first_month,
        max(in_force.period) as last_month
    from {{ source('control', 'in_force') }} as in_force
    cross join {{ source('control', 'refresh') }} as refresh
    where
        in_force.source = 'police_uk_street'
        and in_force.period <= refresh.quarter_end

),

span as (

    select
        in_force.first_month,
        greatest(in_force.last_month, max(gaps.month)) as last_month
    from in_force
    left join {{ ref('int_known_gaps__by_month') }} as gaps on in_force.first_month < gaps.month
    group by in_force.first_month, in_force.last_month

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
