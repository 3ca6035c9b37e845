-- Both extracts of a cohort's snapshot name the same people. Two systems, so a warning and not an
-- error; returns how many are in one of them only.

{{ config(
    severity='warn',
    meta={'dagster': {'ref': {'name': 'stg_oasys_assessments__people'}}}
) }}

with both_systems as (

    select
        coalesce(caseload.cohort, assessments.cohort) as cohort,
        coalesce(caseload.police_force, assessments.police_force) as police_force,
        coalesce(caseload.snapshot_date, assessments.snapshot_date) as snapshot_date,
        count(*) filter (where caseload.person_ref is null) as only_assessments,
        count(*) filter (where assessments.person_ref is null) as only_caseload
    from {{ ref('stg_probation_caseload__people') }} as caseload
    full join {{ ref('stg_oasys_assessments__people') }} as assessments
        on
            caseload.cohort = assessments.cohort
            and caseload.police_force = assessments.police_force
            and caseload.snapshot_date = assessments.snapshot_date
            and caseload.person_ref = assessments.person_ref
    group by all
    having count(caseload.person_ref) > 0 and count(assessments.person_ref) > 0

)

select
    cohort || ', ' || police_force || ', ' || strftime(snapshot_date, '%-d %B %Y')
    || ': ' || case
        when only_caseload = 0 then 'the assessments name people who are not on the caseload'
        when only_assessments = 0 then 'the caseload names people who are not in the assessments'
        else 'the caseload and the assessments each name people who are not in the other'
    end
    || '; ask the provider which extract is whole' as broken_rules
from both_systems
where only_assessments > 0 or only_caseload > 0
