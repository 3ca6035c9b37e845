-- Appendix C: share of assessed offenders with each need, in the force's area, of the Community
-- Rehabilitation Company's latest snapshot. The printed appendix leaves out the tenth.

with needs as (

    select
        cohort,
        period_end,
        period_label,
        area_code,
        area_name,
        pathway,
        answered,
        identified,
        proportion,
        status,
        deliveries
    from {{ ref('need_pathways') }}
    where cohort = 'CRC' and sex = 'All' and offence_group = 'All' and area_type = 'force'

),

-- The rows are force areas, so the latest of each is the latest of its force.
latest as (

    select
        cohort,
        period_end,
        period_label,
        area_code,
        area_name,
        pathway,
        answered,
        identified,
        proportion,
        status,
        deliveries
    from needs
    qualify period_end = max(period_end) over (partition by area_code)

)

select
    cohort,
    period_end,
    {{ period_key("'snapshot'", 'period_end') }} as period_key,
    period_label,
    area_code,
    area_name,
    row_number() over (
        partition by area_code
        order by proportion desc nulls last, pathway asc
    )::integer as row_order,
    pathway,
    identified as offenders,
    answered as base,
    {{ rounded_percent('identified', 'answered') }}::integer as percent,
    status,
    deliveries
from latest
