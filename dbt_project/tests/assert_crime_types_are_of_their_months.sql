-- The publisher used each crime type in some months only. Rows of another month are counted where
-- they lie, though they are no series: a warning. Returns one message for each fault.
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'int_crime__counted'}}}) }}

with used as (

    select
        crime_type,
        min(first_month) as first_month,
        case when bool_or(last_month is null) then null else max(last_month) end as last_month
    from {{ ref('crime_types') }}
    group by crime_type

),

untimely as (

    select
        counted.force_code,
        counted.crime_type,
        used.first_month,
        used.last_month,
        sum(counted.offences) as offences,
        min(counted.month) as earliest_month,
        max(counted.month) as latest_month
    from {{ ref('int_crime__counted') }} as counted
    inner join used on counted.crime_type = used.crime_type
    where counted.month < used.first_month or counted.month > used.last_month
    group by counted.force_code, counted.crime_type, used.first_month, used.last_month

)

select
    areas.area_name || ': ' || untimely.offences || ' rows of ' || untimely.crime_type
    || case
        when untimely.earliest_month = untimely.latest_month
            then ' in ' || strftime(untimely.earliest_month, '%B %Y')
        else
            ' from ' || strftime(untimely.earliest_month, '%B %Y')
            || ' to ' || strftime(untimely.latest_month, '%B %Y')
    end
    || ', months in which the publisher did not use that type (it did from '
    || strftime(untimely.first_month, '%B %Y')
    || coalesce(' to ' || strftime(untimely.last_month, '%B %Y'), ' on')
    || '). They are counted where they lie, an area without such a row has no count, and no trend '
    || 'has them; download the files of those months again' as broken_rules
from untimely
inner join {{ ref('int_areas__listed') }} as areas
    on
        untimely.force_code = areas.area_code
        and areas.area_type = 'force'
