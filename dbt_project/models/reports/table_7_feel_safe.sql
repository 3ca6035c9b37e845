-- Table 7: how safe people feel where they live, by town, in whole percentages of those who answered
-- with the previous wave's beside them.

select
    period_start,
    any_value(period_label) as period_label,
    row_number() over (
        partition by period_start
        order by any_value(district_code), any_value(area_order)
    )::integer as row_order,
    area_code,
    any_value(area_name) as area_name,
    any_value(district_code) as district_code,
    any_value(csp) as csp,
    max({{ whole_percentage('answer_count', 'base') }})
        filter (where answer = 'Very Safe') as very_safe,
    max({{ whole_percentage('previous_answer_count', 'previous_base') }})
        filter (where answer = 'Very Safe') as very_safe_previous,
    max({{ whole_percentage('answer_count', 'base') }})
        filter (where answer = 'Safe') as safe,
    max({{ whole_percentage('previous_answer_count', 'previous_base') }})
        filter (where answer = 'Safe') as safe_previous,
    max({{ whole_percentage('answer_count', 'base') }})
        filter (where answer = 'Unsafe') as unsafe,
    max({{ whole_percentage('previous_answer_count', 'previous_base') }})
        filter (where answer = 'Unsafe') as unsafe_previous,
    max({{ whole_percentage('answer_count', 'base') }})
        filter (where answer = 'Very Unsafe') as very_unsafe,
    max({{ whole_percentage('previous_answer_count', 'previous_base') }})
        filter (where answer = 'Very Unsafe') as very_unsafe_previous,
    any_value(base) as base,
    any_value(previous_base) as previous_base,
    any_value(responses) as responses,
    any_value(status) as status,
    any_value(previous_status) as previous_status,
    any_value(deliveries) as deliveries
from {{ ref('survey_perceptions') }}
where
    question = 'feel_safe'
    and area_type = 'town'
group by period_start, area_code
