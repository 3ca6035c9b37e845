-- The partnerships of the Home Office's table, each with its district's GSS code by name, and with
-- the area of the warehouse that it is, where it is one.

with partnerships as (

    select distinct
        police_force,
        csp_name,
        {{ comparable_name('csp_name') }} as plain_name,
        starts_with(lower(csp_name), 'unassigned') as is_unassigned
    from {{ ref('stg_recorded_crime_by_csp__offences') }}

),

-- The names that districts have in the estimates of population, the latest code of each.
estimated_districts as (

    select
        {{ comparable_name('area_name') }} as plain_name,
        arg_max(area_code, mid_year) as gss_code
    from {{ ref('stg_population_estimates__populations') }}
    where {{ gss_area_type('area_code') }} = 'district'
    group by {{ comparable_name('area_name') }}

),

served_areas as (

    select
        {{ comparable_name(
            "regexp_replace(area_name, '(?i) (community safety partnership|csp)$', '')"
        ) }} as plain_name,
        area_code,
        csp,
        force_code
    from {{ ref('int_areas__listed') }}
    where area_type in ('district', 'partnership')
    -- A district before a partnership of several that bears its name.
    qualify row_number() over (partition by plain_name order by area_type, area_code) = 1

)

select
    partnerships.police_force,
    partnerships.csp_name,
    partnerships.is_unassigned,
    coalesce(served.area_code, estimated.gss_code) as gss_code,
    served.area_code,
    served.csp,
    served.force_code
from partnerships
left join estimated_districts as estimated on partnerships.plain_name = estimated.plain_name
left join served_areas as served on partnerships.plain_name = served.plain_name
