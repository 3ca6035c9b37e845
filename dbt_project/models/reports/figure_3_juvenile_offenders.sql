-- Figure 3: juvenile offenders by district in each whole calendar year, with the latest whole
-- financial year beside them. The two kinds of year overlap and are no series: the financial year
-- is marked as a break.

with young_people as (

    select
        area_code,
        area_name,
        csp,
        period_type,
        period_start,
        period_end,
        period_label,
        young_people,
        {{ deliveries_without('deliveries', 'population_by_age') }} as deliveries
    from {{ ref('youth_offenders') }}
    where
        cohort = 'registered'
        and dimension = 'all'
        and area_type in ('district', 'partnership', 'force')

),

latest_financial_year as (

    select max(period_start) as period_start
    from young_people
    where
        period_type = 'financial_year'
        and young_people is not null

),

shown as (

    select
        young_people.area_code,
        young_people.area_name,
        young_people.csp,
        young_people.period_type,
        young_people.period_start,
        young_people.period_end,
        young_people.period_label,
        young_people.young_people,
        young_people.deliveries,
        services.youth_offending_service
    from young_people
    cross join latest_financial_year
    left join {{ ref('int_youth_services__listed') }} as services
        on young_people.area_code = services.district_code
    where
        young_people.period_type = 'calendar_year'
        or young_people.period_start = latest_financial_year.period_start

),

-- A district has a place only where all districts of its service have a count.
ranked as (

    select
        area_code,
        area_name,
        csp,
        youth_offending_service,
        period_type,
        period_start,
        period_end,
        period_label,
        young_people,
        deliveries,
        case
            when
                youth_offending_service is not null
                and count(young_people) over service_year = count(*) over service_year
                then
                    rank() over (
                        partition by youth_offending_service, period_type, period_start
                        order by young_people desc
                    )
        end as rank_in_service
    from shown
    window service_year as (partition by youth_offending_service, period_type, period_start)

)

select
    area_code,
    area_name,
    csp,
    youth_offending_service,
    period_type,
    period_start,
    period_end,
    period_label,
    young_people as juvenile_offenders,
    rank_in_service::integer as rank_in_service,
    case
        when youth_offending_service is null then '[z]'
        when rank_in_service is null then '[x]'
    end as rank_in_service_status,
    {{ row_status(
        unavailable='young_people is null',
        after_break="period_type = 'financial_year'"
    ) }} as status,
    deliveries
from ranked
