-- Accommodation as a need linked to offending, by cohort and area; both cohorts together where they
-- have a snapshot of the same day.

with cohorts as (

    select
        cohort,
        period_start as snapshot_date,
        area_code,
        area_name,
        area_type,
        csp,
        caseload,
        assessed,
        answered,
        identified,
        deliveries
    from {{ ref('need_pathways') }}
    where pathway = 'Accommodation' and sex = 'All' and offence_group = 'All'

),

both_cohorts as (

    select
        'CRC and NPS' as cohort,
        snapshot_date,
        area_code,
        area_name,
        area_type,
        csp,
        sum(caseload) as caseload,
        sum(assessed) as assessed,
        sum(answered) as answered,
        sum(identified) as identified,
        {{ all_deliveries('deliveries') }} as deliveries
    from cohorts
    group by snapshot_date, area_code, area_name, area_type, csp
    having count(distinct cohort) = 2

),

all_cohorts as (

    select
        cohort,
        snapshot_date,
        area_code,
        area_name,
        area_type,
        csp,
        caseload,
        assessed,
        answered,
        identified,
        deliveries
    from cohorts
    union all
    select
        cohort,
        snapshot_date,
        area_code,
        area_name,
        area_type,
        csp,
        caseload,
        assessed,
        answered,
        identified,
        deliveries
    from both_cohorts

),

-- Null for the force itself, which has no rest.
with_rest as (

    select
        here.cohort,
        here.snapshot_date,
        here.area_code,
        here.area_name,
        here.area_type,
        here.csp,
        here.caseload,
        here.assessed,
        here.answered,
        here.identified,
        here.deliveries,
        case when here.area_type <> 'force' then forces.answered - here.answered end
            as rest_answered,
        case when here.area_type <> 'force' then forces.identified - here.identified end
            as rest_identified
    from all_cohorts as here
    inner join {{ ref('int_probation_areas__listed') }} as areas
        on here.area_code = areas.area_code
    inner join all_cohorts as forces
        on
            here.cohort = forces.cohort
            and here.snapshot_date = forces.snapshot_date
            and areas.force_code = forces.area_code

)

{% set here = ['identified', 'answered'] %}
{% set rest = ['rest_identified', 'rest_answered'] %}
select
    cohort,
    {{ period_key("'snapshot'", 'snapshot_date') }} as period_key,
    'snapshot' as period_type,
    snapshot_date as period_start,
    snapshot_date as period_end,
    strftime(snapshot_date, '%B %Y') as period_label,
    area_code,
    area_name,
    area_type,
    csp,
    caseload::bigint as caseload,
    (caseload - assessed)::bigint as not_assessed,
    assessed::bigint as assessed,
    answered::bigint as answered,
    identified::bigint as offenders_with_need,
    {{ proportion(*here) }} as proportion,
    {{ proportion_lower(*here) }} as proportion_lower,
    {{ proportion_upper(*here) }} as proportion_upper,
    'proportion of assessed offenders with an answer' as unit,
    {{ proportion(*rest) }} as rest_proportion,
    {{ difference(*(here + rest)) }} as difference_from_rest,
    {{ difference_lower(*(here + rest)) }} as difference_lower,
    {{ difference_upper(*(here + rest)) }} as difference_upper,
    {{ comparison(difference_lower(*(here + rest)), difference_upper(*(here + rest))) }}
        as compared_with_rest,
    {{ row_status(unavailable='false', not_applicable='answered = 0') }} as status,
    deliveries
from with_rest
