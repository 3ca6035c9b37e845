-- The months of every series, up to the last month with a file of the force, without a gap or break
-- among them: what is adjusted for season and forecast, or why it is not.

with months as (

    select
        trends.area_code,
        trends.area_name,
        trends.area_type,
        trends.csp,
        areas.force_code,
        trends.crime_type,
        trends.period_start as month,
        trends.offences,
        trends.count_status,
        trends.count_deliveries
    from {{ ref('int_crime_trends__measured') }} as trends
    inner join {{ ref('int_areas__listed') }} as areas on trends.area_code = areas.area_code
    where trends.period_type = 'month'

),

last_months as (

    select
        force_code,
        max(month) as last_month
    from months
    where offences is not null
    group by force_code

),

-- A type that the publisher no longer uses, and an area that has ceased, are left out.
latest as (

    select
        months.area_code,
        months.area_name,
        months.area_type,
        months.csp,
        months.crime_type,
        months.month as last_month
    from months
    inner join last_months
        on months.force_code = last_months.force_code and months.month = last_months.last_month
    where months.count_status is distinct from '[z]'

),

-- The month after the last gap, or the month of the last break if that is later.
starts as (

    select
        latest.area_code,
        latest.crime_type,
        greatest(
            min(months.month),
            max(months.month) filter (where months.count_status = '[b]'),
            max(months.month + interval 1 month) filter (where months.offences is null)
        )::date as first_month
    from latest
    inner join months
        on
            latest.area_code = months.area_code
            and latest.crime_type = months.crime_type
            and latest.last_month >= months.month
    group by latest.area_code, latest.crime_type

),

runs as (

    select
        latest.area_code,
        latest.area_name,
        latest.area_type,
        latest.csp,
        latest.crime_type,
        latest.last_month,
        count(months.month)::integer as months,
        avg(months.offences) as mean_offences,
        list(months.month order by months.month) as run_months,
        list(months.offences::double order by months.month) as counts,
        {{ all_deliveries('months.count_deliveries') }} as deliveries
    from latest
    inner join starts
        on latest.area_code = starts.area_code and latest.crime_type = starts.crime_type
    left join months
        on
            latest.area_code = months.area_code
            and latest.crime_type = months.crime_type
            and months.month between starts.first_month and latest.last_month
    group by
        latest.area_code, latest.area_name, latest.area_type, latest.csp, latest.crime_type,
        latest.last_month

)

select
    area_code,
    area_name,
    area_type,
    csp,
    crime_type,
    last_month,
    months,
    mean_offences,
    run_months,
    counts,
    case
        when months < {{ var('seasonal_min_months') }}
            then
                'fewer than {{ var("seasonal_min_months") }} months '
                || 'without a gap or break in series'
        when mean_offences < {{ var('seasonal_min_mean') }}
            then 'fewer than {{ var("seasonal_min_mean") }} offences in an average month'
    end as left_out,
    deliveries
from runs
