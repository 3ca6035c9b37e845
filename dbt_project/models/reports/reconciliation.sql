-- Every number that the assessment printed, compared with what the warehouse computes: reproduced,
-- a misprint, or not to be derived; the last two only with the reason that audit_verdicts gives. A
-- difference behind which a delivery was revised since is a revision, with the delivery as its
-- cause.

with printed as (

    select
        figure_id,
        place,
        area,
        dimension,
        measure,
        period,
        printed_value,
        unit,
        source_line
    from {{ ref('printed_figures') }}

),

-- Which sources are behind each place; those of a sentence come with its query.
places as (

    select
        listed.place,
        listed.sources
    from (
        values
        {%- for place, model in audited_reports().items() %}
        ('{{ place }}', {{ sources_behind(model) }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as listed (place, sources)

),

computed as (

    select
        figure_id,
        value,
        unrounded,
        few_people,
        regenerated_by,
        null::varchar[] as sources,
        deliveries
    from {{ ref('int_audit__cells') }}
    union all
    select
        figure_id,
        value,
        value as unrounded,
        few_people,
        regenerated_by,
        sources,
        deliveries
    from {{ ref('int_audit__sentences') }}

),

{{ audit_scope() }},

figures as (

    select
        printed.figure_id,
        printed.place,
        printed.area,
        printed.dimension,
        printed.measure,
        printed.period,
        printed.printed_value,
        printed.source_line,
        coalesce(computed.sources, places.sources) as sources,
        computed.value,
        computed.unrounded,
        coalesce(computed.few_people, false) as few_people,
        computed.regenerated_by,
        computed.deliveries,
        regexp_extract(printed.printed_value, '[0-9][0-9,.]*') as printed_number,
        case
            when printed.printed_value like '%.%'
                then length(regexp_extract(printed.printed_value, '[.]([0-9]+)', 1))
            -- N/A is printed in a column of rates.
            when not regexp_matches(printed.printed_value, '[0-9]') and printed.unit like 'per %'
                then 1
            else 0
        end as decimals
    from printed
    left join computed on printed.figure_id = computed.figure_id
    left join places on printed.place = places.place

),

needed_sources as (

    select
        figure_id,
        unnest(sources) as source
    from figures

),

undelivered as (

    select
        needed.figure_id,
        string_agg(needed.source, ', ' order by needed.source) as missing_sources
    from needed_sources as needed
    where
        needed.source not in (
            select in_force.source from {{ source('control', 'in_force') }} as in_force
        )
    group by needed.figure_id

),

revisions as (

    select
        behind.figure_id,
        string_agg(revised.cause, '; ' order by revised.source) as cause
    from needed_sources as behind
    inner join {{ ref('int_audit__revisions') }} as revised on behind.source = revised.source
    group by behind.figure_id

),

-- The number in the digits that were printed, a half rounded up. Rounded to nine digits first, so
-- that a half that arithmetic left a hair short stays a half.
rounded as (

    select
        figure_id,
        case
            when value is null then null
            when decimals = 0 then format('{:,.0f}', round(round(value, 9), 0))
            when decimals = 1 then format('{:,.1f}', round(round(value, 9), 1))
            when decimals = 2 then format('{:,.2f}', round(round(value, 9), 2))
        end as number
    from figures

),

-- In the dress of the printed value: with its sign, separators and brackets.
dressed as (

    select
        figures.figure_id,
        case
            when figures.printed_value in ('<5', '-') and figures.few_people
                then figures.printed_value
            when figures.printed_number = '' or figures.printed_value = '<5' then rounded.number
            else replace(
                figures.printed_value,
                figures.printed_number,
                case
                    when figures.printed_value like '%,%' then rounded.number
                    else replace(rounded.number, ',', '')
                end
            )
        end as computed_value
    from figures
    inner join rounded on figures.figure_id = rounded.figure_id

),

-- What the audit says of a number: [c] where it differs and fewer than five people are behind it.
compared as (

    select
        figures.figure_id,
        scope.as_at,
        coalesce(dressed.computed_value = figures.printed_value, false) as is_as_printed,
        case
            when
                (dressed.computed_value is distinct from figures.printed_value)
                and figures.few_people
                then '[c]'
            else dressed.computed_value
        end as computed_value,
        coalesce(
            scope.out_of_scope,
            'No delivery in force: ' || undelivered.missing_sources || '.'
        ) as not_checked_because
    from figures
    inner join dressed on figures.figure_id = dressed.figure_id
    left join undelivered on figures.figure_id = undelivered.figure_id
    cross join scope

),

answered_figures as (

    select
        inconsistency_id,
        unnest(string_split(figure_ids, ' ')) as pattern
    from {{ ref('audit_answers') }}

),

findings as (

    select
        figures.figure_id,
        string_agg(
            answers.inconsistency_id::varchar, ', ' order by answers.inconsistency_id
        ) as inconsistency_ids
    from figures
    inner join answered_figures as answers
        on figures.figure_id glob answers.pattern
    group by figures.figure_id

),

checked as (

    select
        compared.figure_id,
        compared.as_at,
        compared.computed_value,
        compared.not_checked_because,
        case
            when compared.not_checked_because is not null then 'not checked'
            when expected.verdict is not null then expected.verdict
            when compared.is_as_printed then 'reproduced'
            else 'unexplained'
        end as verdict,
        expected.reason,
        case
            when compared.not_checked_because is not null then null
            when expected.verdict is null and not compared.is_as_printed
                then 'no verdict explains it'
            when expected.verdict = 'misprint' and compared.is_as_printed
                then 'the verdict is misprint, but the discrepancy has gone'
            when
                expected.verdict = 'misprint'
                and (compared.computed_value is distinct from expected.true_value)
                then 'the verdict is misprint of ' || expected.true_value
            when expected.verdict = 'misprint' and findings.inconsistency_ids is null
                then 'the verdict is misprint, but no inconsistency says so'
            when
                expected.verdict = 'cannot be derived'
                and figures.regenerated_by is not null
                then 'the verdict is cannot be derived, but a query derives it'
        end as fault
    from compared
    inner join figures on compared.figure_id = figures.figure_id
    left join {{ ref('audit_verdicts') }} as expected on compared.figure_id = expected.figure_id
    left join findings on compared.figure_id = findings.figure_id

),

judged as (

    select
        checked.figure_id,
        checked.as_at,
        checked.computed_value,
        case
            when checked.fault is not null and revisions.cause is not null
                then 'revised since printed'
            else checked.verdict
        end as verdict,
        case
            when checked.fault is not null and revisions.cause is not null
                then 'Revised since printed: ' || revisions.cause || '.'
            else coalesce(checked.not_checked_because, checked.reason)
        end as reason,
        case when revisions.cause is null then checked.fault end as fault
    from checked
    left join revisions on checked.figure_id = revisions.figure_id

)

select
    judged.as_at,
    figures.figure_id,
    figures.place,
    figures.area,
    figures.dimension,
    figures.measure,
    figures.period,
    figures.source_line,
    figures.printed_value,
    judged.computed_value,
    case when not figures.few_people then round(figures.unrounded, 9) end as true_value,
    judged.verdict,
    judged.reason,
    findings.inconsistency_ids,
    figures.regenerated_by,
    {{ listed_deliveries("string_split(figures.deliveries, '; ')") }} as deliveries,
    judged.fault is null as agreed,
    figures.figure_id || ': printed ' || figures.printed_value || ', computed '
    || coalesce(judged.computed_value, 'nothing') || ', ' || judged.fault as fault
from figures
inner join judged on figures.figure_id = judged.figure_id
left join findings on figures.figure_id = findings.figure_id
order by figures.source_line, figures.figure_id
