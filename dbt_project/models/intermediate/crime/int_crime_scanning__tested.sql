-- Whether each series changed on the year, differs from the rest of its force and had an unusual
-- last month: normal deviates, and p values adjusted for the number of series scanned in an area.

with deviates as (

    select
        area_code,
        crime_type,
        (offences - offences_year_before)
        / nullif(sqrt(dispersion * (offences + offences_year_before)), 0) as change_deviate,
        (
            offences
            - (offences + rest_offences) * population / (population + rest_population)
        ) / nullif(sqrt(
            dispersion * (offences + rest_offences)
            * population * rest_population / power(population + rest_population, 2)
        ), 0) as rest_deviate,
        -- Months of so few offences are far from normally distributed.
        case
            when last_month_centre >= {{ var('signal_min_centre') }}
                then (last_month_offences - last_month_centre) / nullif(last_month_deviation, 0)
        end as month_deviate
    from {{ ref('int_crime_scanning__counted') }}

),

questions as (

    select
        area_code,
        crime_type,
        'change' as question,
        change_deviate as deviate
    from deviates
    union all
    select
        area_code,
        crime_type,
        'rest' as question,
        rest_deviate as deviate
    from deviates
    union all
    select
        area_code,
        crime_type,
        'month' as question,
        month_deviate as deviate
    from deviates

),

tests as (

    select
        area_code,
        crime_type,
        question,
        deviate,
        {{ two_sided_p('deviate') }} as p
    from questions
    where deviate is not null

),

placed as (

    select
        area_code,
        crime_type,
        question,
        deviate,
        p,
        row_number() over (partition by area_code, question order by p, crime_type) as position,
        count(*) over (partition by area_code, question) as series
    from tests

),

adjusted as (

    select
        area_code,
        crime_type,
        question,
        deviate,
        {{ adjusted_p('p', 'position', 'series', 'area_code, question') }} as adjusted_p
    from placed

)

select
    area_code,
    crime_type,
    question,
    deviate,
    adjusted_p,
    {{ verdict('deviate', 'adjusted_p') }} as compared
from adjusted
