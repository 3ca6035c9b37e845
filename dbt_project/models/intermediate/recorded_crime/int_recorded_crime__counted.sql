-- Recorded offences by partnership, quarter and offence group with zeros, the sum of all groups,
-- and the sums of police forces and of all of them.

with offences as (

    select
        offences.police_force,
        offences.csp_name,
        offences.quarter,
        coalesce(groups.recorded_offence_group, offences.published_offence_group)
            as recorded_offence_group,
        offences.offences,
        offences.delivery
    from {{ ref('stg_recorded_crime_by_csp__offences') }} as offences
    left join {{ ref('recorded_offence_groups') }} as groups
        on
            lower(offences.published_offence_group) = lower(groups.published_group)
            and groups.offence_subgroup is null

),

groups as (

    select distinct recorded_offence_group
    from offences

),

partnerships as (

    select
        police_force,
        csp_name,
        quarter,
        {{ all_deliveries('delivery') }} as deliveries
    from offences
    group by police_force, csp_name, quarter

),

counted as (

    select
        police_force,
        csp_name,
        quarter,
        recorded_offence_group,
        sum(offences)::bigint as offences
    from offences
    group by police_force, csp_name, quarter, recorded_offence_group

),

-- A partnership with rows of a quarter had none of a group that it has no row of.
with_zeros as (

    select
        partnerships.police_force,
        partnerships.csp_name,
        partnerships.quarter,
        groups.recorded_offence_group,
        coalesce(counted.offences, 0) as offences,
        partnerships.deliveries
    from partnerships
    cross join groups
    left join counted
        on
            partnerships.police_force = counted.police_force
            and partnerships.csp_name = counted.csp_name
            and partnerships.quarter = counted.quarter
            and groups.recorded_offence_group = counted.recorded_offence_group

),

with_total as (

    select
        police_force,
        csp_name,
        quarter,
        unnest([recorded_offence_group, '{{ var("all_offences") }}']) as recorded_offence_group,
        offences,
        deliveries
    from with_zeros

),

with_sums as (

    select
        levels.place_level,
        case when levels.place_level <> 'all' then counts.police_force end as police_force,
        case when levels.place_level = 'partnership' then counts.csp_name end as csp_name,
        counts.quarter,
        counts.recorded_offence_group,
        counts.offences,
        counts.deliveries
    from with_total as counts
    cross join (
        values ('partnership'), ('force'), ('all')
    ) as levels (place_level)

)

select
    place_level,
    police_force,
    csp_name,
    quarter,
    recorded_offence_group,
    sum(offences)::bigint as offences,
    {{ all_deliveries('deliveries') }} as deliveries
from with_sums
group by place_level, police_force, csp_name, quarter, recorded_offence_group
