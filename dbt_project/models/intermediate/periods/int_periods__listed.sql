-- Every period that a figure can be about. The calendar begins a year before the first year that a
-- delivery in force of counts over time is of, since twelve months and financial years may begin
-- there, and ends a year after the quarter being built, as far as an outlook goes. Snapshots are of
-- the days that deliveries in force are of.

with in_force as (

    select distinct
        in_force.source,
        in_force.period,
        case
            when
                in_force.source in (
                    'area_lookups', 'crime_severity_weights', 'deprivation_indices'
                )
                then 'reference'
            -- Counts over time are keyed by the first day of their month or year.
            when
                in_force.period <> date_trunc('month', in_force.period)
                or in_force.source in (
                    'dwelling_stock',
                    'iom_cohort',
                    'oasys_assessments',
                    'population_by_age',
                    'population_estimates',
                    'probation_caseload',
                    'supported_accommodation'
                )
                then 'snapshot'
            else 'period'
        end as kind
    from {{ source('control', 'in_force') }} as in_force
    cross join {{ source('control', 'refresh') }} as refresh
    where in_force.period <= refresh.quarter_end

),

span as (

    select
        (date_trunc('year', min(in_force.period)) - interval 1 year)::date as first_day,
        (max(refresh.quarter_end) + interval 1 year)::date as last_day
    from in_force
    cross join {{ source('control', 'refresh') }} as refresh
    where in_force.kind = 'period'

),

months as (

    select unnest(generate_series(first_day, last_day, interval 1 month))::date as month
    from span
    where first_day is not null

),

kinds as (

    select
        kinds.period_type,
        kinds.months
    from (
        values
        ('month', 1), ('quarter', 3), ('half_year', 6), ('calendar_year', 12),
        ('financial_year', 12), ('twelve_months', 12)
    ) as kinds (period_type, months)

),

of_calendar as (

    select
        kinds.period_type,
        months.month as period_start,
        (months.month + to_months(kinds.months) - interval 1 day)::date as period_end
    from months
    cross join kinds
    where
        case kinds.period_type
            when 'quarter' then month(months.month) in (1, 4, 7, 10)
            when 'half_year' then month(months.month) in (1, 7)
            when 'calendar_year' then month(months.month) = 1
            when 'financial_year' then month(months.month) = 4
            else true
        end

),

of_snapshots as (

    select distinct
        'snapshot' as period_type,
        period as period_start,
        period as period_end
    from in_force
    where kind = 'snapshot'

),

-- A prison may send returns of any period.
of_returns as (

    select distinct
        {{ period_type_of('period_start', 'period_end') }} as period_type,
        period_start,
        period_end
    from {{ ref('stg_prison_releases__figures') }}

)

select
    period_type,
    period_start,
    period_end
from of_calendar
union
select
    period_type,
    period_start,
    period_end
from of_snapshots
union
select
    period_type,
    period_start,
    period_end
from of_returns
