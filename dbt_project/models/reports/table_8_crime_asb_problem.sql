-- Table 8: whether crime and anti-social behaviour are a problem where people live, by town, in whole
-- percentages of those who answered with the previous wave's beside them.

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
        filter (where answer = 'Not at all') as not_at_all,
    max({{ whole_percentage('previous_answer_count', 'previous_base') }})
        filter (where answer = 'Not at all') as not_at_all_previous,
    max({{ whole_percentage('answer_count', 'base') }})
        filter (where answer = 'Not much') as not_much,
    max({{ whole_percentage('previous_answer_count', 'previous_base') }})
        filter (where answer = 'Not much') as not_much_previous,
    max({{ whole_percentage('answer_count', 'base') }})
        filter (where answer = 'Quite a problem') as quite_a_problem,
    max({{ whole_percentage('previous_answer_count', 'previous_base') }})
        filter (where answer = 'Quite a problem') as quite_a_problem_previous,
    max({{ whole_percentage('answer_count', 'base') }})
        filter (where answer = 'Big problem') as big_problem,
    max({{ whole_percentage('previous_answer_count', 'previous_base') }})
        filter (where answer = 'Big problem') as big_problem_previous,
    any_value(base) as base,
    any_value(previous_base) as previous_base,
    any_value(responses) as responses,
    any_value(status) as status,
    any_value(previous_status) as previous_status,
    any_value(deliveries) as deliveries
from {{ ref('survey_perceptions') }}
where
    question = 'crime_asb_problem'
    and area_type = 'town'
group by period_start, area_code
