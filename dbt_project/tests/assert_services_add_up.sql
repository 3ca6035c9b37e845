-- Districts and the force's remainders add up to the whole: the force area for young people and
-- offender management; every area of release, beside the force area's districts, for prisons.

{{ config(meta={'dagster': {'ref': {'name': 'youth_offenders'}}}) }}

with youth as (

    select
        'youth_offenders' as mart,
        sum(young_people) filter (where area_type not in ('partnership', 'force'))
        - sum(young_people) filter (where area_type = 'force') as difference
    from {{ ref('youth_offenders') }}
    group by period_type, period_start, cohort, dimension, category
    having count(*) = count(young_people)

),

managed as (

    select
        'iom_cohort' as mart,
        sum(people) filter (where area_type not in ('partnership', 'force'))
        - sum(people) filter (where area_type = 'force') as difference
    from {{ ref('iom_cohort') }}
    group by period_start, dimension, category

),

released as (

    select
        'int_prison_releases__by_accommodation' as mart,
        abs(
            sum(released) filter (where area_type in ('district', 'unlocated', 'outside'))
            - sum(released) filter (where area_type = 'all')
        )
        + abs(
            sum(released) filter (where area_type = 'district')
            - sum(released) filter (where area_type = 'force')
        ) as difference
    from {{ ref('int_prison_releases__by_accommodation') }}
    group by prison, period_start, sex, accommodation

)

select *
from (
    select * from youth
    union all
    select * from managed
    union all
    select * from released
) as differences
where difference <> 0
