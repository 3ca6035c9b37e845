-- Every category of the list of weights belongs to a crime type, or is known to have none. Returns
-- one message for each that is not.
{{ config(
    severity='warn', meta={'dagster': {'ref': {'name': 'stg_crime_severity_weights__weights'}}}
) }}

select
    weights.offence_category || ' of the list of severity weights is no category that the '
    || 'warehouse knows: its ' || count(*) || ' weights are in the mean of no crime type. Add '
    || 'it to dbt_project/seeds/offence_categories.csv with the crime type that holds it'
        as broken_rules
from {{ ref('stg_crime_severity_weights__weights') }} as weights
left join {{ ref('offence_categories') }} as categories
    on
        {{ category_key('weights.offence_category') }}
        = {{ category_key('categories.offence_category') }}
where categories.offence_category is null
group by weights.offence_category
