-- Priority matrix: every crime type of an area with the points behind its score, the highest first.

select
    area_code,
    area_name,
    csp,
    row_number() over (
        partition by area_code
        order by priority_rank nulls last, crime_type
    )::integer as row_order,
    crime_type,
    period_end,
    period_key,
    period_label,
    priority_score,
    {{ rank_range('priority_rank_best', 'priority_rank_worst') }} as rank_range,
    volume_points,
    harm_points,
    change_points,
    rest_points,
    concern_points,
    harm_share_percent,
    -- What a type or an area cannot have is not applicable, what has not come is not available.
    case when crime_type = '{{ var("incidents") }}' then '[z]' end as harm_points_status,
    case when crime_type = '{{ var("incidents") }}' then '[z]' end as harm_share_percent_status,
    case when area_type = 'force' then '[z]' end as rest_points_status,
    case
        when crime_type not in (select asked.crime_type from {{ ref('survey_concerns') }} as asked)
            then '[z]'
    end as concern_points_status,
    coalesce(points_missing, 'none') as points_missing,
    agencies,
    status,
    deliveries
from {{ ref('crime_priorities') }}
