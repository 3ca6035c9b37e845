-- Over the groups of outcomes, crimes add up to those recorded; the sum of groups is left out.
{{ config(meta={'dagster': {'ref': {'name': 'crime_outcomes'}}}) }}

select
    area_code,
    crime_type,
    period_key,
    any_value(offences) as offences,
    sum(offences_with_outcome) as offences_with_outcome
from {{ ref('crime_outcomes') }}
where not is_sum
group by area_code, crime_type, period_key
having
    sum(offences_with_outcome) <> any_value(offences)
    or count(offences_with_outcome) not in (0, count(*))
