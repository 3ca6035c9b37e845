-- Every inconsistency of the printed assessment with the warehouse's answer: the true value by a
-- query, the rule that hides a disclosive one, another way of showing it, or why there is no
-- answer. An answer that no longer holds because a delivery was revised since says which.

with findings as (

    select
        inconsistency_id,
        location,
        claim,
        printed,
        recomputed,
        verdict
    from {{ ref('printed_inconsistencies') }}

),

{{ audit_scope() }},

-- The printed numbers that an inconsistency concerns, and the computed one where there is but one.
concerned as (

    select
        answers.inconsistency_id,
        count(*)::integer as figures,
        case when count(*) = 1 then any_value(figures.computed_value) end as computed_value,
        case when count(*) = 1 then any_value(figures.regenerated_by) end as regenerated_by,
        max(figures.reason) filter (where figures.verdict = 'not checked') as not_checked_because,
        max(figures.reason) filter (where figures.verdict = 'revised since printed')
            as revised_because
    from
        (
            select
                inconsistency_id,
                unnest(string_split(figure_ids, ' ')) as pattern
            from {{ ref('audit_answers') }}
        ) as answers
    inner join {{ ref('reconciliation') }} as figures on figures.figure_id glob answers.pattern
    group by answers.inconsistency_id

),

undelivered as (

    select
        needed.inconsistency_id,
        string_agg(distinct needed.source, ', ' order by needed.source) as missing_sources
    from
        (
            select
                inconsistency_id,
                unnest(sources) as source
            from {{ ref('int_audit__findings') }}
        ) as needed
    where
        needed.source not in (
            select in_force.source from {{ source('control', 'in_force') }} as in_force
        )
    group by needed.inconsistency_id

),

revisions as (

    select
        behind.inconsistency_id,
        'Revised since printed: ' || string_agg(revised.cause, '; ' order by revised.source) || '.'
            as revised_because
    from
        (
            select distinct
                inconsistency_id,
                unnest(sources) as source
            from {{ ref('int_audit__findings') }}
        ) as behind
    inner join {{ ref('int_audit__revisions') }} as revised on behind.source = revised.source
    group by behind.inconsistency_id

),

answered as (

    select
        findings.inconsistency_id,
        findings.location,
        findings.claim,
        findings.printed,
        -- Of a disclosive value nothing is said, whatever the finding holds.
        case when findings.verdict <> 'disclosive' then findings.recomputed end as recomputed,
        findings.verdict,
        answers.answered_by,
        answers.figure_ids,
        coalesce(concerned.figures, 0) as figures,
        answers.expected,
        coalesce(
            queries.computed,
            case when answers.answered_by <> 'hidden' then concerned.computed_value end
        ) as computed,
        answers.answer,
        coalesce(
            queries.regenerated_by,
            case when answers.answered_by <> 'hidden' then concerned.regenerated_by end
        ) as regenerated_by,
        coalesce(
            scope.out_of_scope,
            'No delivery in force: ' || undelivered.missing_sources || '.',
            concerned.not_checked_because
        ) as not_checked_because,
        coalesce(revisions.revised_because, concerned.revised_because) as revised_because
    from findings
    left join {{ ref('audit_answers') }} as answers
        on findings.inconsistency_id = answers.inconsistency_id
    left join concerned on findings.inconsistency_id = concerned.inconsistency_id
    left join {{ ref('int_audit__findings') }} as queries
        on findings.inconsistency_id = queries.inconsistency_id
    left join undelivered on findings.inconsistency_id = undelivered.inconsistency_id
    left join revisions on findings.inconsistency_id = revisions.inconsistency_id
    cross join scope

),

judged as (

    select
        inconsistency_id,
        (
            not_checked_because is null
            and revised_because is not null
            and expected is not null
            and computed is distinct from expected
        ) as is_revised,
        case
            when answered_by is null then 'nothing answers it'
            when (verdict = 'disclosive') <> (answered_by = 'hidden')
                then 'what is disclosive is hidden, and nothing else is'
            when figure_ids is not null and figures = 0
                then 'no printed number is named ' || figure_ids
            when not_checked_because is not null or revised_because is not null then null
            when expected is not null and (computed is distinct from expected)
                -- Without what it gives, which may count few people.
                then 'its query no longer gives ' || expected
        end as fault
    from answered

)

select
    answered.inconsistency_id,
    answered.location,
    answered.claim,
    answered.printed,
    answered.recomputed,
    answered.verdict,
    case
        when answered.not_checked_because is not null then 'not checked'
        when judged.is_revised then 'revised since printed'
        else coalesce(answered.answered_by, 'nothing')
    end as answered_by,
    answered.figure_ids,
    answered.figures,
    answered.computed,
    case
        when answered.not_checked_because is not null then answered.not_checked_because
        when judged.is_revised then answered.revised_because
        else answered.answer
    end as answer,
    answered.regenerated_by,
    judged.fault is null as agreed,
    'inconsistency ' || answered.inconsistency_id || ' (' || answered.location || '): '
    || judged.fault as fault
from answered
inner join judged on answered.inconsistency_id = judged.inconsistency_id
order by answered.inconsistency_id
