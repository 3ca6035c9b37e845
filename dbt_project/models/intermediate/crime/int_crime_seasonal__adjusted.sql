-- Every series that is long and large enough, by STL: trend, seasonal factors, adjusted counts, and
-- whether it has a season at all. The functions are those of orchestration/transform.

with decomposed as materialized (

    select
        area_code,
        crime_type,
        seasonal_adjustment(counts, {{ var('seasonal_window_years') }}) as adjustment
    from {{ ref('int_crime_seasonal__runs') }}
    where left_out is null

),

ordered as (

    select
        area_code,
        crime_type,
        adjustment['adjusted'] as adjusted,
        adjustment['trend'] as trend,
        adjustment['factor'] as factor,
        adjustment['seasonality_p'] as seasonality_p,
        row_number() over (
            partition by area_code order by adjustment['seasonality_p'], crime_type
        ) as place,
        count(*) over (partition by area_code) as tests
    from decomposed

)

select
    area_code,
    crime_type,
    adjusted,
    trend,
    factor,
    {{ adjusted_p('seasonality_p', 'place', 'tests', 'area_code') }} as adjusted_p,
    {{ adjusted_p('seasonality_p', 'place', 'tests', 'area_code') }}
    <= {{ var('false_signal_share') }} as is_seasonal
from ordered
