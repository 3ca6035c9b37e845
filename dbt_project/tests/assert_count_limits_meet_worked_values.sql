-- Limits of a count equal published worked values to 1e-9: Byar's for 65, 1,045 and 1 (which the
-- exact method replaces in the marts), exact for 0, 1 and 5. Returns those that do not.
{{ config(meta={'dagster': {'ref': {'name': 'poisson_exact_limits'}}}) }}

with worked as (

    select
        limits.events,
        limits.method,
        limits.lower_limit,
        limits.upper_limit
    from (
        values
        (65, 'byar', 50.16318771045943, 82.84913854593984),
        (1045, 'byar', 982.5932018073325, 1110.33121298565),
        (1, 'byar', 0.013072132901504331, 5.5637555824752605),
        (0, 'exact', 0.0, 3.6888794541139354),
        (1, 'exact', 0.025317807984289897, 5.571643390938898),
        (5, 'exact', 1.623486390118421, 11.66833207932267)
    ) as limits (events, method, lower_limit, upper_limit)

),

computed as (

    select
        worked.events,
        worked.method,
        worked.lower_limit::double as expected_lower,
        worked.upper_limit::double as expected_upper,
        case worked.method
            when 'byar' then {{ byars_lower('worked.events') }} else exact.lower
        end as lower_limit,
        case worked.method
            when 'byar' then {{ byars_upper('worked.events') }} else exact.upper
        end as upper_limit
    from worked
    left join {{ ref('poisson_exact_limits') }} as exact on worked.events = exact.offences

)

select
    events,
    method,
    expected_lower,
    lower_limit,
    expected_upper,
    upper_limit
from computed
where
    coalesce(abs(lower_limit - expected_lower), 1) > 1e-9
    or coalesce(abs(upper_limit - expected_upper), 1) > 1e-9
