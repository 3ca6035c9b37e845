-- Table 2: offenders by number of offences, with the rows that cannot be shown apart as one, and a
-- row of all. Both percentages are of their own total: offenders of offenders, offences of
-- offences.

with frequencies as (

    select
        period_start,
        period_label,
        area_code,
        area_name,
        csp,
        offences_per_offender,
        offences_band,
        offenders,
        offences,
        all_offenders,
        all_offences,
        deliveries
    from {{ ref('offending_frequency') }}

),

bands as (

    select
        period_start,
        area_code,
        offences_per_offender as band_order,
        offences_band as number_of_offences,
        offenders,
        offences
    from frequencies
    union all
    select distinct
        period_start,
        area_code,
        {{ var('offences_band_from') }} + 1 as band_order,
        'All' as number_of_offences,
        all_offenders as offenders,
        all_offences as offences
    from frequencies

),

areas as (

    select distinct
        period_start,
        period_label,
        area_code,
        area_name,
        csp,
        all_offenders,
        all_offences,
        deliveries
    from frequencies

)

select
    areas.period_start,
    {{ period_key("'financial_year'", 'areas.period_start') }} as period_key,
    areas.period_label,
    areas.area_code,
    areas.area_name,
    areas.csp,
    bands.band_order::integer as row_order,
    bands.number_of_offences,
    bands.offenders::bigint as offenders,
    bands.offences::bigint as offences,
    round({{ percent('bands.offences', 'areas.all_offences') }})::integer as percent_of_offences,
    round({{ percent('bands.offenders', 'areas.all_offenders') }})::integer as percent_of_offenders,
    {{ row_status(unavailable='false', not_applicable='areas.all_offenders = 0') }} as status,
    areas.deliveries
from bands
inner join areas
    on
        bands.area_code = areas.area_code
        and bands.period_start = areas.period_start
order by areas.period_start, areas.area_code, bands.band_order
