-- The months that the publisher of the street files is known not to have, of the forces served, up
-- to the end of the quarter being built.

with forces as (

    select distinct
        force_code,
        force_name
    from {{ source('control', 'partnership_areas') }}

),

gaps as (

    select
        forces.force_code,
        gaps.reason,
        unnest(
            generate_series(
                gaps.first_month,
                least(coalesce(gaps.last_month, refresh.quarter_end), refresh.quarter_end),
                interval 1 month
            )
        )::date as month
    from {{ ref('known_gaps') }} as gaps
    inner join forces on gaps.series = forces.force_name
    cross join {{ source('control', 'refresh') }} as refresh
    where gaps.source = 'police_uk_street'

)

select
    force_code,
    month,
    string_agg(distinct reason, '; ' order by reason) as reason
from gaps
group by force_code, month
