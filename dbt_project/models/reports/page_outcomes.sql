-- What became of the crimes of the latest twelve months, by crime type of each area, total crime
-- first, with the share that was charged or resolved out of court against that of the rest of the
-- force.

with latest as (

    select
        outcomes.area_code,
        outcomes.area_name,
        outcomes.csp,
        outcomes.crime_type,
        outcomes.period_key,
        outcomes.period_end,
        outcomes.period_label,
        any_value(outcomes.offences) as offences,
        {%- for column in [
            'offences_with_outcome', 'percent_of_offences', 'percent_lower', 'percent_upper'
        ] %}
        max(outcomes.{{ column }}) filter (
            where outcomes.outcome_group = 'Charged or out of court'
        ) as {{ column }},
        {%- endfor %}
        {%- for name, group in [
            ('charged', 'Charged'), ('out_of_court', 'Out of court'),
            ('not_in_public_interest', 'Not in the public interest'),
            ('not_prosecuted', 'Suspect not prosecuted'),
            ('no_suspect', 'No suspect identified'), ('no_outcome', var('no_outcome'))
        ] %}
        max(outcomes.percent_of_offences) filter (
            where outcomes.outcome_group = '{{ group }}'
        ) as percent_{{ name }},
        {%- endfor %}
        any_value(outcomes.status) as status,
        any_value(outcomes.deliveries) as deliveries
    from {{ ref('crime_outcomes') }} as outcomes
    where outcomes.period_type = 'twelve_months'
    group by
        outcomes.area_code,
        outcomes.area_name,
        outcomes.csp,
        outcomes.crime_type,
        outcomes.period_key,
        outcomes.period_end,
        outcomes.period_label

)

select
    latest.area_code,
    latest.area_name,
    latest.csp,
    types.crime_type_order,
    latest.crime_type,
    latest.period_key,
    latest.period_end,
    latest.period_label,
    latest.offences,
    latest.offences_with_outcome,
    latest.percent_of_offences,
    latest.percent_lower,
    latest.percent_upper,
    compared.rest_percent,
    replace(compared.compared_with_rest, 'similar', 'not clear') as compared_with_rest,
    latest.percent_charged,
    latest.percent_out_of_court,
    latest.percent_not_in_public_interest,
    latest.percent_not_prosecuted,
    latest.percent_no_suspect,
    latest.percent_no_outcome,
    latest.status,
    latest.deliveries
from latest
inner join {{ ref('int_crime_outcomes__compared') }} as compared
    on
        latest.area_code = compared.area_code
        and latest.crime_type = compared.crime_type
        and latest.period_end = compared.period_end
left join {{ ref('dim_crime_type') }} as types on latest.crime_type = types.crime_type
