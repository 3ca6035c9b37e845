-- Calendar years of which a prison's returns cover every day, and the returns of each.

with returns as (

    select distinct
        prison,
        period_start,
        period_end,
        delivery,
        date_trunc('year', period_start)::date as year_start
    from {{ ref('int_prison_releases__placed') }}

),

years as (

    select
        prison,
        year_start,
        (year_start + interval 1 year - interval 1 day)::date as year_end,
        sum(period_end - period_start + 1) as days,
        max(period_end) as last_day
    from returns
    group by prison, year_start

)

select
    returns.prison,
    returns.period_start,
    returns.period_end,
    years.year_start,
    years.year_end,
    returns.delivery
from returns
inner join years
    on
        returns.prison = years.prison
        and returns.year_start = years.year_start
where
    years.last_day = years.year_end
    and years.days = years.year_end - years.year_start + 1
