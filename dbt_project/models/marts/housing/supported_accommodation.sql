-- Supported accommodation: places of each scheme in each town, of each scheme over the partnership
-- of several districts and the force area, and of all schemes. Where a scheme's places are not
-- stated, a sum over them is not available; places_stated adds up what is stated, and
-- sites_without_places says how much that leaves out.

with sites as (

    select
        places.snapshot_date,
        served.area_code,
        places.scheme,
        places.provider,
        places.town,
        places.client_group,
        places.kind,
        places.places,
        places.delivery
    from {{ ref('stg_supported_accommodation__places') }} as places
    inner join {{ ref('int_district_codes__served') }} as served
        on places.district_code = served.district_code

),

kinds as (

    select distinct kind
    from sites

),

snapshots as (

    select distinct snapshot_date
    from sites

),

districts as (

    select area_code
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'

),

lists as (

    select
        snapshot_date,
        area_code,
        {{ all_deliveries('delivery') }} as delivery
    from sites
    group by snapshot_date, area_code

),

-- All schemes of a district, 0 where its council's list has none of a kind.
district_totals as (

    select
        snapshots.snapshot_date,
        districts.area_code,
        kinds.kind,
        lists.area_code is not null as is_listed,
        sum(coalesce(sites.places, 0)) as places_stated,
        count(sites.scheme) as sites,
        count(sites.scheme) - count(sites.places) as sites_without_places,
        any_value(lists.delivery) as delivery
    from snapshots
    cross join districts
    cross join kinds
    left join lists
        on
            snapshots.snapshot_date = lists.snapshot_date
            and districts.area_code = lists.area_code
    left join sites
        on
            snapshots.snapshot_date = sites.snapshot_date
            and districts.area_code = sites.area_code
            and kinds.kind = sites.kind
    group by
        snapshots.snapshot_date,
        districts.area_code,
        kinds.kind,
        lists.area_code

),

totals as (

    select
        snapshot_date,
        area_code,
        'All schemes' as scheme,
        null as provider,
        'All towns' as town,
        'All client groups' as client_group,
        kind,
        is_listed,
        places_stated,
        sites,
        sites_without_places,
        delivery
    from district_totals
    union all
    select
        totals.snapshot_date,
        summed.area_code,
        'All schemes' as scheme,
        null as provider,
        'All towns' as town,
        'All client groups' as client_group,
        totals.kind,
        bool_and(totals.is_listed) as is_listed,
        sum(totals.places_stated) as places_stated,
        sum(totals.sites) as sites,
        sum(totals.sites_without_places) as sites_without_places,
        {{ all_deliveries('totals.delivery') }} as delivery
    from district_totals as totals
    inner join {{ ref('int_areas__summed') }} as summed
        on totals.area_code = summed.district_code
    group by totals.snapshot_date, summed.area_code, totals.kind

),

schemes as (

    -- Two councils that became one may each list places of a scheme in a town.
    select
        snapshot_date,
        area_code,
        scheme,
        any_value(provider) as provider,
        town,
        any_value(client_group) as client_group,
        kind,
        true as is_listed,
        sum(coalesce(places, 0)) as places_stated,
        count(*) as sites,
        count(*) - count(places) as sites_without_places,
        {{ all_deliveries('delivery') }} as delivery
    from sites
    group by snapshot_date, area_code, scheme, town, kind
    union all
    select
        sites.snapshot_date,
        summed.area_code,
        sites.scheme,
        any_value(sites.provider) as provider,
        'All towns' as town,
        any_value(sites.client_group) as client_group,
        sites.kind,
        true as is_listed,
        sum(coalesce(sites.places, 0)) as places_stated,
        count(*) as sites,
        count(*) - count(sites.places) as sites_without_places,
        {{ all_deliveries('sites.delivery') }} as delivery
    from sites
    inner join {{ ref('int_areas__summed') }} as summed on sites.area_code = summed.district_code
    group by sites.snapshot_date, summed.area_code, sites.scheme, sites.kind

),

provision as (

    select
        snapshot_date,
        area_code,
        scheme,
        provider,
        town,
        client_group,
        kind,
        is_listed,
        places_stated,
        sites,
        sites_without_places,
        delivery
    from schemes
    union all
    select
        snapshot_date,
        area_code,
        scheme,
        provider,
        town,
        client_group,
        kind,
        is_listed,
        places_stated,
        sites,
        sites_without_places,
        delivery
    from totals

)

select
    provision.area_code,
    areas.area_name,
    areas.area_type,
    areas.csp,
    {{ period_key("'snapshot'", 'provision.snapshot_date') }} as period_key,
    'snapshot' as period_type,
    provision.snapshot_date as period_start,
    provision.snapshot_date as period_end,
    {{ period_label_of('provision.snapshot_date', 'provision.snapshot_date') }} as period_label,
    provision.scheme,
    provision.provider,
    provision.town,
    provision.client_group,
    provision.kind,
    case
        when provision.is_listed and provision.sites_without_places = 0
            then provision.places_stated
    end::bigint as places,
    -- A count that is not stated is not zero.
    case
        when
            provision.is_listed
            and (provision.sites = 0 or provision.sites > provision.sites_without_places)
            then provision.places_stated
    end::bigint as places_stated,
    case when provision.is_listed then provision.sites end::bigint as sites,
    case when provision.is_listed then provision.sites_without_places end::bigint
        as sites_without_places,
    'places' as unit,
    {{ row_status(
        unavailable='not provision.is_listed or provision.sites_without_places > 0'
    ) }} as status,
    provision.delivery as deliveries
from provision
inner join {{ ref('int_areas__listed') }} as areas on provision.area_code = areas.area_code
