-- Priority matrix: points of every crime type of an area for volume, harm, change, comparison with
-- the rest of the force and public concern, the score that they give, and how firm its rank is.

{% set kinds = ['volume', 'harm', 'change', 'rest', 'concern'] %}
{% set shift = var('priority_weight_shift') %}

with pointed as (

    select
        scanned.area_code,
        scanned.area_name,
        scanned.area_type,
        scanned.csp,
        scanned.crime_type,
        scanned.period_start,
        scanned.period_end,
        scanned.period_label,
        scanned.offences,
        100 * percent_rank() over (
            partition by scanned.area_code
            order by scanned.offences
        ) as volume_points,
        {{ points_of_ratio(
            'scanned.compared_with_year_before',
            '(1 + scanned.change_percent_lower / 100)',
            '(1 + scanned.change_percent_upper / 100)'
        ) }} as change_points,
        {{ points_of_ratio(
            'scanned.compared_with_rest', 'scanned.rate_ratio_lower', 'scanned.rate_ratio_upper'
        ) }} as rest_points,
        scanned.rest_population is null or scanned.population is null as has_no_rest,
        scanned.status,
        scanned.deliveries
    from {{ ref('int_crime_scanning__compared') }} as scanned
    -- Total crime is the sum of what is ordered.
    where scanned.crime_type <> '{{ var("total_crime") }}' and scanned.offences is not null

),

harmed as (

    select
        area_code,
        crime_type,
        harm_share_percent,
        -- One type alone has no place among others.
        case
            when count(*) over (partition by area_code) > 1
                then 100 * percent_rank() over (partition by area_code order by harm_score)
        end as harm_points,
        deliveries
    from {{ ref('crime_harm') }}
    where crime_type <> '{{ var("total_crime") }}' and harm_score is not null

),

matrix as (

    select
        pointed.area_code,
        pointed.area_name,
        pointed.area_type,
        pointed.csp,
        pointed.crime_type,
        pointed.period_start,
        pointed.period_end,
        pointed.period_label,
        pointed.offences,
        harmed.harm_share_percent,
        pointed.volume_points,
        harmed.harm_points,
        pointed.change_points,
        pointed.rest_points,
        concerns.concern_points,
        concerns.issues as concern_issues,
        -- What cannot be tested is missing; what an area does not have is left out.
        pointed.change_points is not null
        and (pointed.rest_points is not null or pointed.has_no_rest) as is_scored,
        pointed.status,
        {{ joined_deliveries(
            'pointed.deliveries', "nullif(concat_ws('; ', harmed.deliveries, concerns.delivery), '')"
        ) }} as deliveries
    from pointed
    left join harmed
        on
            pointed.area_code = harmed.area_code
            and pointed.crime_type = harmed.crime_type
    left join {{ ref('int_survey_concerns__ranked') }} as concerns
        on
            pointed.area_code = concerns.area_code
            and pointed.crime_type = concerns.crime_type

),

kinds as (

    select unnest({{ kinds }}) as kind

),

-- The declared weights, and each weight more at the cost of each other one.
weights as (

    select
        row_number() over (order by gains.kind, yields.kind) as variant,
        {%- for kind in kinds %}
        {{ var('priority_weight_' ~ kind) }}
        + {{ shift }} * (gains.kind = '{{ kind }}')::integer
        - {{ shift }} * (yields.kind = '{{ kind }}')::integer as {{ kind }}_weight,
        {%- endfor %}
        gains.kind = yields.kind as is_declared
    from kinds as gains
    cross join kinds as yields
    where gains.kind <> yields.kind or gains.kind = 'volume'

),

-- Points that there are none of leave the score to the other weights.
weighted as (

    select
        matrix.area_code,
        matrix.crime_type,
        weights.variant,
        weights.is_declared,
        (
            {%- for kind in kinds %}
            {{ '+ ' if not loop.first }}weights.{{ kind }}_weight
            * coalesce(matrix.{{ kind }}_points, 0)
            {%- endfor %}
        ) / (
            {%- for kind in kinds %}
            {{ '+ ' if not loop.first }}weights.{{ kind }}_weight
            * (matrix.{{ kind }}_points is not null)::integer
            {%- endfor %}
        ) as score
    from matrix
    cross join weights
    where matrix.is_scored

),

ranked as (

    select
        area_code,
        crime_type,
        is_declared,
        score,
        -- Scores that are equal but for the last digits of the division share a place.
        rank() over (
            partition by area_code, variant
            order by round(score, 9) desc
        )::integer as place
    from weighted

),

scored as (

    select
        area_code,
        crime_type,
        max(score) filter (where is_declared) as priority_score,
        max(place) filter (where is_declared) as priority_rank,
        min(place) as priority_rank_best,
        max(place) as priority_rank_worst
    from ranked
    group by area_code, crime_type

)

select
    matrix.area_code,
    matrix.area_name,
    matrix.area_type,
    matrix.csp,
    matrix.crime_type,
    {{ period_key("'twelve_months'", 'matrix.period_start') }} as period_key,
    matrix.period_start,
    matrix.period_end,
    matrix.period_label,
    matrix.offences,
    matrix.harm_share_percent,
    matrix.volume_points,
    matrix.harm_points,
    matrix.change_points,
    matrix.rest_points,
    matrix.concern_points,
    matrix.concern_issues,
    scored.priority_score,
    scored.priority_rank,
    scored.priority_rank_best,
    scored.priority_rank_worst,
    nullif(concat_ws(
        ', ',
        case when matrix.harm_points is null then 'harm' end,
        case when matrix.change_points is null then 'change' end,
        case when matrix.rest_points is null then 'rest of force' end,
        case when matrix.concern_points is null then 'concern' end
    ), '') as points_missing,
    agencies.agencies,
    matrix.status,
    matrix.deliveries
from matrix
left join scored
    on matrix.area_code = scored.area_code and matrix.crime_type = scored.crime_type
left join {{ ref('crime_type_agencies') }} as agencies on matrix.crime_type = agencies.crime_type
