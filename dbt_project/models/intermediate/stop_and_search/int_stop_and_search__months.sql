-- Every month of each force served from the first to the last with a stop and search file in force
-- of any force or, where a force is known to have supplied no data since, to the last of these, and
-- why a month has no file. A month without a file is unknown, not zero.

with forces as (

    select distinct
        force_code,
        force_name
    from {{ source('control', 'partnership_areas') }}

),

months_in_force as (

    select
        forces.force_code,
        in_force.period as month,
        {{ all_deliveries('in_force.delivery') }} as delivery
    from {{ source('control', 'in_force') }} as in_force
    inner join forces on in_force.series = forces.force_name
    cross join {{ source('control', 'refresh') }} as refresh
    where
        in_force.source = 'police_uk_stop_and_search'
        and in_force.period <= refresh.quarter_end
    group by forces.force_code, in_force.period

),

span as (

    select
        min(month) as first_month,
        max(month) as last_month
    from months_in_force

),

span_with_gaps as (

    select
        span.first_month,
        greatest(span.last_month, max(gaps.month)) as last_month
    from span
    left join {{ ref('int_known_gaps__by_month') }} as gaps on span.first_month < gaps.month
    group by span.first_month, span.last_month

),

months as (

    select unnest(generate_series(first_month, last_month, interval 1 month))::date as month
    from span_with_gaps
    where first_month is not null

)

select
    forces.force_code,
    months.month,
    last_day(months.month) as month_end,
    months_in_force.delivery is not null as has_file,
    case
        when months_in_force.delivery is null
            then coalesce(gaps.reason, 'no file of the month has been loaded')
    end as missing_because,
    months_in_force.delivery
from months
cross join forces
left join months_in_force
    on forces.force_code = months_in_force.force_code and months.month = months_in_force.month
left join {{ ref('int_known_gaps__by_month') }} as gaps
    on forces.force_code = gaps.force_code and months.month = gaps.month
