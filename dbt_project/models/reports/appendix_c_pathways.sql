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

)

select
    cohort,
    period_end,
    period_label,
    area_code,
    area_name,
    row_number() over (
        partition by area_code
        order by proportion desc nulls last, pathway
    )::integer as row_order,
    pathway,
    identified as offenders,
    answered as base,
    {{ rounded_percent('identified', 'answered') }}::integer as percent,
    status,
    deliveries
from needs
where period_end = (select max(period_end) from needs)
