-- No recorded crime is lost or counted twice on its way: for each force and month, the counts over
-- all types and all areas but partnerships of several districts add up to the rows of the
-- deliveries in force. Returns months that do not.
{{ config(meta={'dagster': {'ref': {'name': 'crime_monthly'}}}) }}

with staged as (

    select
        force_name,
        month,
        count(*) as offences
    from {{ ref('stg_police_uk_street__crimes') }}
    group by force_name, month

),

expected as (

    select
        force_months.force_code,
        force_months.month,
        coalesce(staged.offences, 0) as offences
    from {{ ref('int_force_months__in_force') }} as force_months
    left join staged
        on force_months.force_name = staged.force_name and force_months.month = staged.month

),

published as (

    select
        force_code,
        month,
        sum(offences) as offences
    from {{ ref('crime_monthly') }}
    where area_type <> 'partnership'
    group by force_code, month

)

select
    coalesce(expected.force_code, published.force_code) as force_code,
    coalesce(expected.month, published.month) as month,
    expected.offences as staged_offences,
    published.offences as published_offences
from expected
full outer join published
    on expected.force_code = published.force_code and expected.month = published.month
where expected.offences is distinct from published.offences
