-- The official count: offences that the police recorded by partnership, police force and in all, by
-- quarter and in the twelve months to its end, with rates.

with quarters as (

    select
        place_level,
        police_force,
        csp_name,
        recorded_offence_group,
        quarter,
        offences,
        deliveries
    from {{ ref('int_recorded_crime__counted') }}

),

runs as (

    select
        place_level,
        police_force,
        csp_name,
        recorded_offence_group,
        quarter as last_quarter,
        list(quarter) over four_quarters as quarters,
        list(offences) over four_quarters as offences,
        list(deliveries) over four_quarters as deliveries
    from quarters
    window four_quarters as (
        partition by place_level, police_force, csp_name, recorded_offence_group
        order by quarter
        rows between 3 preceding and current row
    )

),

periods as (

    select
        place_level,
        police_force,
        csp_name,
        recorded_offence_group,
        'quarter' as period_type,
        quarter as period_start,
        last_day((quarter + interval 2 month)::date) as period_end,
        {{ quarter_label('quarter') }} as period_label,
        offences,
        deliveries
    from quarters
    union all
    select
        place_level,
        police_force,
        csp_name,
        recorded_offence_group,
        'twelve_months' as period_type,
        quarters[1] as period_start,
        last_day((last_quarter + interval 2 month)::date) as period_end,
        'Twelve months to ' || strftime((last_quarter + interval 2 month)::date, '%B %Y')
            as period_label,
        list_sum(offences)::bigint as offences,
        {{ listed_deliveries("string_split(array_to_string(deliveries, '; '), '; ')") }}
            as deliveries
    from runs
    -- A year is four quarters without a gap.
    where len(quarters) = 4 and quarters[1] = (last_quarter - interval 9 month)::date

),

forces as (

    select
        police_force,
        any_value(force_code) as force_code
    from {{ ref('int_recorded_crime__placed') }}
    where force_code is not null
    group by police_force

)

select
    periods.place_level,
    coalesce(periods.csp_name, periods.police_force, 'All police forces of the table')
        as place_name,
    coalesce(periods.police_force, 'All police forces of the table') as police_force,
    case periods.place_level
        when 'partnership' then placed.area_code
        when 'force' then forces.force_code
    end as served_area_code,
    placed.csp,
    placed.gss_code,
    periods.recorded_offence_group,
    periods.recorded_offence_group = '{{ var("all_offences") }}' as is_sum,
    {{ period_key('periods.period_type', 'periods.period_start') }} as period_key,
    periods.period_type,
    periods.period_start,
    periods.period_end,
    periods.period_label,
    periods.offences,
    populations.population,
    {{ rate_per_1000('periods.offences', 'populations.population') }} as rate_per_1000,
    {{ rate_lower('greatest(periods.offences, 0)', 'populations.population', 'exact') }}
        as rate_lower,
    {{ rate_upper('greatest(periods.offences, 0)', 'populations.population', 'exact') }}
        as rate_upper,
    'offences per 1,000 population' as unit,
    {{ row_status(
        unavailable='populations.population is null',
        not_applicable='coalesce(placed.is_unassigned, false)',
        carried='populations.is_carried_forward'
    ) }} as status,
    {{ joined_deliveries('periods.deliveries', 'populations.delivery') }} as deliveries
from periods
left join {{ ref('int_recorded_crime__placed') }} as placed
    on
        periods.police_force = placed.police_force
        and periods.csp_name = placed.csp_name
left join forces on periods.police_force = forces.police_force
left join {{ ref('int_recorded_crime__populations') }} as populations
    on
        periods.police_force is not distinct from populations.police_force
        and periods.csp_name is not distinct from populations.csp_name
        and year(periods.period_end) = populations.calendar_year
left join {{ ref('poisson_exact_limits') }} as exact on periods.offences = exact.offences
