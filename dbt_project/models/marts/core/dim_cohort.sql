-- Groups of people that figures are about: probation providers, young people, and the prisons of
-- the partnerships file by sex.

with prison_groups as (

    select distinct prison_group
    from {{ ref('int_prisons__listed') }}

),

prison_cohorts as (

    select
        {{ prison_cohort('prison_groups.prison_group', 'sexes.sex') }} as cohort,
        sexes.sex = 'All' as is_sum
    from prison_groups
    cross join (values ('All'), ('Male'), ('Female')) as sexes (sex)

),

cohorts as (

    select
        cohort,
        cohort_label,
        cohort_type,
        is_sum,
        cohort_order
    from {{ ref('cohorts') }}
    union all
    select
        cohort,
        cohort as cohort_label,
        'prison' as cohort_type,
        is_sum,
        null as cohort_order
    from prison_cohorts

)

select
    cohort,
    cohort_label,
    cohort_type,
    row_number() over (order by cohort_order nulls last, cohort)::integer as cohort_order,
    is_sum
from cohorts
order by cohort_order
