-- Public concern about a crime type in an area: points by the place, among the issues about crime,
-- of the issue that respondents want the partnership to focus on. Waves that begin within the
-- latest twelve months of the area are taken together.

with areas as (

    select distinct
        area_code,
        period_start,
        period_end
    from {{ ref('int_crime_scanning__counted') }}

),

answers as (

    select
        areas.area_code,
        counted.answer,
        sum(counted.answer_count) as answer_count,
        sum(counted.base) as base,
        {{ all_deliveries('counted.delivery') }} as delivery
    from areas
    inner join {{ ref('int_survey_answers__counted') }} as counted
        on
            areas.area_code = counted.area_code
            and counted.wave_start between areas.period_start and areas.period_end
    where counted.question = 'csp_focus' and counted.base > 0
    group by areas.area_code, counted.answer

),

-- Each respondent gives one answer, so that the answers about a type add up. Fewer respondents
-- than the base of a reliable percentage give no order.
concerns as (

    select
        answers.area_code,
        mapped.crime_type,
        sum(answers.answer_count) as respondents,
        any_value(answers.base) as base,
        string_agg(answers.answer, '; ' order by answers.answer) as issues,
        any_value(answers.delivery) as delivery
    from answers
    inner join {{ ref('survey_concerns') }} as mapped on answers.answer = mapped.answer
    where answers.base >= {{ var('survey_reliable_base') }}
    group by answers.area_code, mapped.crime_type

),

placed as (

    select
        area_code,
        crime_type,
        issues,
        delivery,
        -- Shares that are near each other share a place: they differ by chance, and an order of
        -- the counts themselves would say too much of a small one. All small ones share the lowest.
        dense_rank() over (
            partition by area_code
            order by
                case
                    when respondents < {{ var('concern_min_respondents') }} then 0
                    else round(100 * respondents / base / {{ var('concern_band') }})
                end
        ) as place
    from concerns

)

select
    area_code,
    crime_type,
    issues,
    100.0 * (place - 1) / nullif(max(place) over (partition by area_code) - 1, 0)
        as concern_points,
    delivery
from placed
