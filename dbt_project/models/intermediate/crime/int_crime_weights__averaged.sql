-- Mean severity weight of each street-level crime type, from the newest edition of the weights in
-- force. A street file names types and no offences, so that the mean is an approximation.

with latest as (

    select
        weights.edition,
        categories.crime_type,
        weights.weight,
        weights.recorded_offences,
        lower(weights.offence) = 'all offences' as is_category,
        weights.delivery
    from {{ ref('stg_crime_severity_weights__weights') }} as weights
    inner join {{ ref('offence_categories') }} as categories
        on
            {{ category_key('weights.offence_category') }}
            = {{ category_key('categories.offence_category') }}
    where
        categories.crime_type is not null
        and weights.edition = (
            select max(editions.edition)
            from {{ ref('stg_crime_severity_weights__weights') }} as editions
        )

),

-- The weight of a category counts only where none of the type's offences has one.
used as (

    select
        edition,
        crime_type,
        weight,
        recorded_offences,
        is_category,
        delivery
    from latest
    qualify not is_category or bool_and(is_category) over (partition by crime_type)

),

methods as (

    select
        crime_type,
        any_value(edition) as edition,
        case
            when count(recorded_offences) = count(*) and sum(recorded_offences) > 0
                then 'recorded offences'
            when bool_and(is_category) then 'category'
            else 'unweighted'
        end as weight_method,
        sum(weight * recorded_offences order by weight, recorded_offences)
        / nullif(sum(recorded_offences), 0) as weighted_mean,
        avg(weight order by weight) as unweighted_mean,
        count(*) as weights,
        {{ all_deliveries('delivery') }} as delivery
    from used
    group by crime_type

)

select
    crime_type,
    edition,
    weight_method,
    case when weight_method = 'recorded offences' then weighted_mean else unweighted_mean end
        as mean_weight,
    weights,
    delivery
from methods
