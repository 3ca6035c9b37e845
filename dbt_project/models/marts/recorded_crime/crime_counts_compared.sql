-- Street-level counts beside the official ones, by area, quarter and street-level crime type, with
-- what explains a difference. Only quarters that both have, and areas of the warehouse.

with mapped as (

    select
        placed.area_code,
        placed.force_code,
        offences.quarter,
        coalesce(subgroups.crime_type, groups.crime_type) as crime_type,
        offences.offences,
        offences.delivery,
        placed.is_unassigned
    from {{ ref('stg_recorded_crime_by_csp__offences') }} as offences
    inner join {{ ref('int_recorded_crime__placed') }} as placed
        on
            offences.police_force = placed.police_force
            and offences.csp_name = placed.csp_name
    left join {{ ref('recorded_offence_groups') }} as groups
        on
            lower(offences.published_offence_group) = lower(groups.published_group)
            and groups.offence_subgroup is null
    left join {{ ref('recorded_offence_groups') }} as subgroups
        on
            lower(offences.published_offence_group) = lower(subgroups.published_group)
            and lower(offences.offence_subgroup) = lower(subgroups.offence_subgroup)

),

official as (

    select
        area_code,
        quarter,
        unnest([crime_type, '{{ var("total_crime") }}']) as crime_type,
        offences,
        delivery
    from mapped
    where area_code is not null and crime_type is not null

),

official_counts as (

    select
        area_code,
        quarter,
        crime_type,
        sum(offences)::bigint as official_offences,
        {{ all_deliveries('delivery') }} as deliveries
    from official
    group by area_code, quarter, crime_type

)

select
    official.area_code,
    areas.area_name,
    areas.area_type,
    areas.csp,
    official.crime_type,
    {{ period_key("'quarter'", 'official.quarter') }} as period_key,
    official.quarter as period_start,
    street.period_end,
    street.period_label,
    street.offences as street_offences,
    official.official_offences,
    street.offences - official.official_offences as difference,
    100.0 * (street.offences - official.official_offences)
    / nullif(official.official_offences, 0) as difference_percent,
    concat(
        case official.crime_type
            when 'Other crime' then 'Some offences have another group at the Home Office. '
            when '{{ var("total_crime") }}' then 'Fraud and anti-social behaviour are left out. '
        end,
        'Street-level rows are as they were when the file was made, at map points that may lie in ',
        'a neighbouring district, and some have no place; the Home Office revises its counts, and ',
        'cancelled offences leave them.'
    ) as difference_explained,
    {{ row_status(unavailable='street.offences is null') }} as status,
    {{ joined_deliveries('official.deliveries', 'street.delivery') }} as deliveries
from official_counts as official
inner join {{ ref('int_areas__listed') }} as areas on official.area_code = areas.area_code
inner join {{ ref('int_crime_trends__counted') }} as street
    on
        official.area_code = street.area_code
        and official.crime_type = street.crime_type
        and official.quarter = street.period_start
where street.period_type = 'quarter'
