-- Recorded offences of each area and of those similar to it, by offence group, in every twelve
-- months of the official count, with the limits of a funnel plot around the rate of all of them
-- together. Limits allow for how much more the areas differ than chance alone would have them, by
-- the multiplicative method of Spiegelhalter (Statistics in Medicine 24, 2005): the variance is
-- that of a Poisson count times the mean square of the areas' deviations, whose extreme tenths are
-- drawn in.

with members as (

    select
        area_code,
        similarity_rank,
        similar_code as member_code,
        similar_name as member_name,
        distance,
        false as is_own
    from {{ ref('int_similar_areas__ranked') }}
    union all
    select distinct
        ranked.area_code,
        0 as similarity_rank,
        ranked.area_code as member_code,
        ranked.area_name as member_name,
        0.0::double as distance,
        true as is_own
    from {{ ref('int_similar_areas__ranked') }} as ranked

),

counts as (

    select
        coalesce(served_area_code, gss_code) as member_code,
        recorded_offence_group,
        is_sum,
        period_key,
        period_start,
        period_end,
        period_label,
        greatest(offences, 0) as offences,
        population,
        rate_per_1000,
        rate_lower,
        rate_upper,
        status,
        deliveries
    from {{ ref('recorded_crime_by_csp') }}
    where
        period_type = 'twelve_months'
        and place_level = 'partnership'
        and coalesce(served_area_code, gss_code) is not null
    -- Two partnerships of one district would double it.
    qualify count(*) over (
        partition by coalesce(served_area_code, gss_code), recorded_offence_group, period_key
    ) = 1

),

periods as (

    select distinct
        recorded_offence_group,
        is_sum,
        period_key,
        period_start,
        period_end,
        period_label
    from counts

),

rates as (

    select
        members.area_code,
        members.similarity_rank,
        members.member_code,
        members.member_name,
        members.distance,
        members.is_own,
        periods.recorded_offence_group,
        periods.is_sum,
        periods.period_key,
        periods.period_start,
        periods.period_end,
        periods.period_label,
        counts.offences,
        counts.population,
        counts.rate_per_1000,
        counts.rate_lower,
        counts.rate_upper,
        counts.status,
        counts.deliveries
    from members
    cross join periods
    left join counts
        on
            members.member_code = counts.member_code
            and periods.recorded_offence_group = counts.recorded_offence_group
            and periods.period_key = counts.period_key

),

groups as (

    select
        area_code,
        recorded_offence_group,
        period_key,
        sum(offences)::double / sum(population) as group_rate
    from rates
    where rate_per_1000 is not null
    group by area_code, recorded_offence_group, period_key
    having count(*) >= {{ var('funnel_min_areas') }} and sum(offences) > 0

),

deviations as (

    select
        rates.area_code,
        rates.recorded_offence_group,
        rates.period_key,
        (rates.rate_per_1000 / 1000 - groups.group_rate)
        / sqrt(groups.group_rate / rates.population) as deviation
    from rates
    inner join groups
        on
            rates.area_code = groups.area_code
            and rates.recorded_offence_group = groups.recorded_offence_group
            and rates.period_key = groups.period_key
    where rates.rate_per_1000 is not null

),

extremes as (

    select
        area_code,
        recorded_offence_group,
        period_key,
        quantile_cont(deviation, {{ var('funnel_drawn_in') }}) as lowest,
        quantile_cont(deviation, 1 - {{ var('funnel_drawn_in') }}) as highest
    from deviations
    group by area_code, recorded_offence_group, period_key

),

dispersions as (

    select
        deviations.area_code,
        deviations.recorded_offence_group,
        deviations.period_key,
        greatest(
            1,
            avg(
                power(greatest(least(deviations.deviation, extremes.highest), extremes.lowest), 2)
                order by deviations.deviation
            )
        ) as dispersion
    from deviations
    inner join extremes
        on
            deviations.area_code = extremes.area_code
            and deviations.recorded_offence_group = extremes.recorded_offence_group
            and deviations.period_key = extremes.period_key
    group by deviations.area_code, deviations.recorded_offence_group, deviations.period_key

)

select
    rates.area_code,
    rates.similarity_rank,
    rates.member_code,
    rates.member_name,
    rates.distance,
    rates.is_own,
    rates.recorded_offence_group,
    rates.is_sum,
    rates.period_key,
    rates.period_start,
    rates.period_end,
    rates.period_label,
    rates.offences,
    rates.population,
    rates.rate_per_1000,
    rates.rate_lower,
    rates.rate_upper,
    1000 * groups.group_rate as group_rate_per_1000,
    dispersions.dispersion,
    {%- for name, sign, z in [
        ('warning_lower', '-', 'confidence_z'), ('warning_upper', '+', 'confidence_z'),
        ('limit_lower', '-', 'funnel_limit_z'), ('limit_upper', '+', 'funnel_limit_z')
    ] %}
    -- Of 0 and of what is not known, greatest() takes 0.
    case
        when groups.group_rate is not null and rates.population is not null
            then greatest(0, 1000 * (
                groups.group_rate {{ sign }} {{ var(z) }}
                * sqrt(dispersions.dispersion * groups.group_rate / rates.population)
            ))
    end as funnel_{{ name }},
    {%- endfor %}
    rates.status,
    rates.deliveries
from rates
left join groups
    on
        rates.area_code = groups.area_code
        and rates.recorded_offence_group = groups.recorded_offence_group
        and rates.period_key = groups.period_key
left join dispersions
    on
        rates.area_code = dispersions.area_code
        and rates.recorded_offence_group = dispersions.recorded_offence_group
        and rates.period_key = dispersions.period_key
