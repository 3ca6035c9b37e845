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

snapshots_in_force as (

    select
        delivered_series,
        served_name,
        period,
        delivery_id
    from {{ source('control', 'in_force') }}
    where source = 'oasys_assessments'

),

supplied as (

    {% for pathway in pathways %}
    select
        provider,
        police_force,
        snapshot_date,
        crn,
        _delivery_id,
        '{{ pathway }}' as pathway,
        {{ pathway }} as answer
    from {{ source('raw', 'oasys_assessments') }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

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
inner join snapshots_in_force
    on
        supplied.provider || ', ' || supplied.police_force = snapshots_in_force.delivered_series
        and supplied.snapshot_date = snapshots_in_force.period
        and supplied._delivery_id = snapshots_in_force.delivery_id
inner join people
    on
        supplied.provider = people.cohort
        and snapshots_in_force.served_name = people.police_force
        and supplied.snapshot_date = people.snapshot_date
        and supplied.crn = people.person_ref
