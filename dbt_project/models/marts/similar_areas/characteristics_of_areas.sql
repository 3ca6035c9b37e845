-- What each district of England and Wales and each partnership of several districts is like, by the
-- characteristics by which similar areas are found.

select
    scored.measured_code,
    scored.measured_name,
    served.area_code as served_area_code,
    scored.characteristic,
    described.characteristic_label,
    described.print_order as characteristic_order,
    scored.mid_year as estimated_on,
    scored.figure,
    described.unit,
    described.is_compared_by_logarithm,
    scored.score as standard_score,
    scored.deliveries
from {{ ref('int_area_characteristics__scored') }} as scored
inner join {{ ref('area_characteristics') }} as described
    on scored.characteristic = described.characteristic
left join {{ ref('int_areas__listed') }} as served on scored.measured_code = served.area_code
