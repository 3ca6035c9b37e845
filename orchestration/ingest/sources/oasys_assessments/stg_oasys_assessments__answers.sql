-- What each person's assessment says on each of the ten pathways. Who was not assessed has the
-- answer "not assessed" on all of them, whatever was filled in: never "not identified".

{% set pathways = [
    'accommodation',
    'education_training_employment',
    'finance',
    'relationships',
    'lifestyle',
    'drugs',
    'alcohol',
    'emotional',
    'thinking_behaviour',
    'attitudes',
] %}

with people as (

    select
        cohort,
        police_force,
        snapshot_date,
        person_ref,
        is_assessed
    from {{ ref('stg_oasys_assessments__people') }}

),

supplied as (

    select
        provider,
        served_name,
        snapshot_date,
        crn,
        unnest([
            {%- for pathway in pathways %}
            '{{ pathway }}'{{ ',' if not loop.last }}
            {%- endfor %}
        ]) as pathway,
        unnest([
            {%- for pathway in pathways %}
            {{ pathway }}{{ ',' if not loop.last }}
            {%- endfor %}
        ]) as answer
    from {{ source('in_force', 'oasys_assessments') }}

)

select
    supplied.provider as cohort,
    people.police_force,
    supplied.snapshot_date,
    supplied.crn as person_ref,
    supplied.pathway,
    case
        when people.is_assessed then lower(coalesce(supplied.answer, 'Unanswered'))
        else 'not assessed'
    end as answer
from supplied
inner join people
    on
        supplied.provider = people.cohort
        and supplied.served_name = people.police_force
        and supplied.snapshot_date = people.snapshot_date
        and supplied.crn = people.person_ref
