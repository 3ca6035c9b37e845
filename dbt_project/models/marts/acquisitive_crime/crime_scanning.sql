-- Every crime type of an area at a glance: the latest twelve months against the twelve before and
-- against the rest of the force, the last month's signal, and the score of the priority matrix.

select
    compared.area_code,
    compared.area_name,
    compared.area_type,
    compared.csp,
    compared.crime_type,
    {{ period_key("'twelve_months'", 'compared.period_start') }} as period_key,
    compared.period_start,
    compared.period_end,
    compared.period_label,
    compared.offences,
    compared.offences_year_before,
    compared.change_percent,
    compared.change_percent_lower,
    compared.change_percent_upper,
    compared.compared_with_year_before,
    compared.population,
    compared.rate_per_1000,
    compared.rate_lower,
    compared.rate_upper,
    compared.rest_offences,
    compared.rest_population,
    compared.rest_rate_per_1000,
    compared.rate_ratio,
    compared.rate_ratio_lower,
    compared.rate_ratio_upper,
    compared.compared_with_rest,
    compared.last_month_offences,
    compared.last_month_signal,
    compared.dispersion,
    {{ listed_counts('compared.counts') }} as offences_by_month,
    priorities.volume_points,
    priorities.change_points,
    priorities.rest_points,
    priorities.priority_score,
    priorities.priority_rank,
    priorities.priority_rank_best,
    priorities.priority_rank_worst,
    compared.missing_because,
    compared.status,
    {{ joined_deliveries('compared.deliveries', 'priorities.deliveries') }} as deliveries
from {{ ref('int_crime_scanning__compared') }} as compared
left join {{ ref('crime_priorities') }} as priorities
    on
        compared.area_code = priorities.area_code
        and compared.crime_type = priorities.crime_type
