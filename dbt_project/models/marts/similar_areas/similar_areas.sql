-- The districts that are most like each district and partnership served, the most similar first.

select
    area_code,
    area_name,
    area_type,
    csp,
    similarity_rank,
    similar_code,
    similar_name,
    chosen_by,
    characteristics as characteristics_compared,
    distance,
    {{ row_status(unavailable='distance is null') }} as status,
    deliveries
from {{ ref('int_similar_areas__ranked') }}
