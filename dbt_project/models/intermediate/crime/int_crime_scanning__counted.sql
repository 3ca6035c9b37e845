-- What scanning compares, for every area and crime type in use: the twelve months to the last month
-- with a file of the area's force, the twelve before, and the same of the force's other districts.

with months as (

    select
        trends.area_code,
        trends.area_name,
        trends.area_type,
        trends.csp,
        areas.force_code,
        trends.crime_type,
        trends.period_start as month,
        trends.period_end,
        trends.period_label,
        trends.offences,
        trends.rolling_12m_offences,
        trends.population,
        trends.rolling_12m_rate_per_1000,
        trends.rolling_12m_rate_lower,
        trends.rolling_12m_rate_upper,
        trends.xmr_centre,
        -- The standard deviation of a month: limits lie three of them from the centre.
        trends.xmr_moving_range_mean * {{ var('xmr_limit_factor') }} / 3 as month_deviation,
        trends.status,
        trends.missing_because,
        trends.count_status,
        trends.deliveries
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

-- A type that the publisher no longer uses, and an area that has ceased, are not scanned.
latest as (

    select
        months.area_code,
        months.area_name,
        months.area_type,
        months.csp,
        months.force_code,
        months.crime_type,
        months.month,
        months.period_end,
        months.period_label,
        months.offences,
        months.rolling_12m_offences,
        months.population,
        months.rolling_12m_rate_per_1000,
        months.rolling_12m_rate_lower,
        months.rolling_12m_rate_upper,
        months.xmr_centre,
        months.month_deviation,
        months.status
    from months
    inner join last_months
        on months.force_code = last_months.force_code and months.month = last_months.last_month
    where months.count_status is distinct from '[z]'

),

-- Two years to the last month: their counts, how much months vary, and whether the series breaks.
two_years as (

    select
        latest.area_code,
        latest.crime_type,
        list(months.offences order by months.month) as counts,
        {{ all_deliveries('months.deliveries') }} as deliveries,
        bool_or(
            months.month > latest.month - interval 23 month
            and months.count_status is not distinct from '[b]'
        ) as breaks,
        max(months.rolling_12m_offences) filter (
            where months.month = latest.month - interval 12 month
        ) as offences_year_before,
        arg_max(months.xmr_centre, months.month) filter (where months.xmr_centre is not null)
            as centre,
        arg_max(months.month_deviation, months.month) filter (where months.xmr_centre is not null)
            as deviation
    from latest
    inner join months
        on
            latest.area_code = months.area_code
            and latest.crime_type = months.crime_type
            and months.month between latest.month - interval 23 month and latest.month
    group by latest.area_code, latest.crime_type

),

-- Of the twelve months, and of all since.
missing as (

    select
        latest.area_code,
        latest.crime_type,
        string_agg(distinct months.missing_because, '; ' order by months.missing_because)
            as missing_because
    from latest
    inner join months
        on
            latest.area_code = months.area_code
            and latest.crime_type = months.crime_type
            and months.month >= latest.month - interval 11 month
    group by latest.area_code, latest.crime_type

),

-- Known only where every district of the force is.
force_districts as (

    select
        districts.force_code,
        districts.crime_type,
        case
            when count(districts.rolling_12m_offences) = count(*)
                then sum(districts.rolling_12m_offences)
        end as offences,
        case when count(districts.population) = count(*) then sum(districts.population) end
            as population
    from latest as districts
    inner join latest as forces
        on
            districts.force_code = forces.area_code
            and districts.crime_type = forces.crime_type
    where
        districts.area_type = 'district'
        and forces.rolling_12m_offences is not null
    group by districts.force_code, districts.crime_type

)

select
    latest.area_code,
    latest.area_name,
    latest.area_type,
    latest.csp,
    latest.crime_type,
    (latest.month - interval 11 month)::date as period_start,
    latest.period_end,
    'Twelve months to ' || latest.period_label as period_label,
    latest.rolling_12m_offences as offences,
    case when not two_years.breaks then two_years.offences_year_before end as offences_year_before,
    latest.population,
    latest.rolling_12m_rate_per_1000 as rate_per_1000,
    latest.rolling_12m_rate_lower as rate_lower,
    latest.rolling_12m_rate_upper as rate_upper,
    case
        when latest.area_type <> 'force'
            then force_districts.offences - latest.rolling_12m_offences
    end::bigint as rest_offences,
    -- A force of one district has no rest.
    case
        when latest.area_type <> 'force'
            then nullif(force_districts.population - latest.population, 0)
    end::bigint as rest_population,
    latest.offences as last_month_offences,
    latest.xmr_centre as last_month_centre,
    latest.month_deviation as last_month_deviation,
    -- By how many times months vary more than counts of chance would; never less than these.
    case
        when two_years.centre > 0
            then greatest(1, power(two_years.deviation, 2) / two_years.centre)
        when two_years.centre = 0 then 1
    end as dispersion,
    two_years.counts,
    missing.missing_because,
    {{ row_status(
        unavailable='latest.rolling_12m_offences is null or nullif(latest.population, 0) is null',
        after_break='two_years.breaks',
        carried="coalesce(latest.status = '[p]', false)"
    ) }} as status,
    two_years.deliveries
from latest
inner join two_years
    on latest.area_code = two_years.area_code and latest.crime_type = two_years.crime_type
inner join missing
    on latest.area_code = missing.area_code and latest.crime_type = missing.crime_type
left join force_districts
    on
        latest.force_code = force_districts.force_code
        and latest.crime_type = force_districts.crime_type
