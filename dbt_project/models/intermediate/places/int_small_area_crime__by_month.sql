-- Offences by small area and month of every crime type and, as the sum of all but incidents, of
-- total crime. Only what was recorded has a row.

select
    force_code,
    small_area_code,
    month,
    crime_type,
    offences
from {{ ref('int_small_area_crime__counted') }}
union all
select
    force_code,
    small_area_code,
    month,
    '{{ var("total_crime") }}' as crime_type,
    sum(offences)::bigint as offences
from {{ ref('int_small_area_crime__counted') }}
where crime_type <> '{{ var("incidents") }}'
group by force_code, small_area_code, month
