-- XmR (individuals and moving range) limits and signals of each series, one set a segment. Method:
-- natural process limits are the mean of the points plus and minus a multiple of the mean moving
-- range (Wheeler). Moving ranges far above their mean are left out once and the mean is taken
-- again. The lower limit is not cut off at zero. The factors are variables of the project.

with segmented as (

    select
        area_code,
        crime_type,
        period_type,
        period_start,
        offences,
        xmr_segment as segment,
        is_restart
    from {{ ref('int_crime_trends__segments') }}

),

ranges as (

    select
        area_code,
        crime_type,
        period_type,
        period_start,
        segment,
        is_restart,
        offences,
        abs(offences - lag(offences) over (
            partition by area_code, crime_type, period_type, segment
            order by period_start
        )) as moving_range
    from segmented

),

means as (

    select
        area_code,
        crime_type,
        period_type,
        segment,
        min(period_start) as since,
        count(*) as points,
        avg(offences) as centre,
        avg(moving_range) as moving_range_mean
    from ranges
    group by area_code, crime_type, period_type, segment

),

screened as (

    select
        ranges.area_code,
        ranges.crime_type,
        ranges.period_type,
        ranges.segment,
        avg(ranges.moving_range) as moving_range_mean
    from ranges
    inner join means
        on
            ranges.area_code = means.area_code
            and ranges.crime_type = means.crime_type
            and ranges.period_type = means.period_type
            and ranges.segment = means.segment
    where ranges.moving_range <= {{ var('xmr_screen_factor') }} * means.moving_range_mean
    group by ranges.area_code, ranges.crime_type, ranges.period_type, ranges.segment

),

-- Only a segment that is long enough has a centre and limits.
limits as (

    select
        means.area_code,
        means.crime_type,
        means.period_type,
        means.segment,
        means.since,
        means.centre,
        screened.moving_range_mean,
        means.centre - {{ var('xmr_limit_factor') }} * screened.moving_range_mean as lower_limit,
        means.centre + {{ var('xmr_limit_factor') }} * screened.moving_range_mean as upper_limit
    from means
    inner join screened
        on
            means.area_code = screened.area_code
            and means.crime_type = screened.crime_type
            and means.period_type = screened.period_type
            and means.segment = screened.segment
    where means.points >= {{ var('xmr_min_points') }}

),

charted as (

    select
        ranges.area_code,
        ranges.crime_type,
        ranges.period_type,
        ranges.period_start,
        ranges.segment,
        ranges.is_restart,
        ranges.offences,
        means.points,
        limits.since,
        limits.centre,
        limits.moving_range_mean,
        limits.lower_limit,
        limits.upper_limit,
        sign(ranges.offences - limits.centre) as side
    from ranges
    inner join means
        on
            ranges.area_code = means.area_code
            and ranges.crime_type = means.crime_type
            and ranges.period_type = means.period_type
            and ranges.segment = means.segment
    left join limits
        on
            ranges.area_code = limits.area_code
            and ranges.crime_type = limits.crime_type
            and ranges.period_type = limits.period_type
            and ranges.segment = limits.segment

),

-- Points in a row on one side share the number of side changes before them.
sides as (

    select
        area_code,
        crime_type,
        period_type,
        period_start,
        segment,
        side,
        (
            side is distinct from lag(side) over (
                partition by area_code, crime_type, period_type, segment
                order by period_start
            )
        ) as changes_side
    from charted

),

runs as (

    select
        area_code,
        crime_type,
        period_type,
        period_start,
        segment,
        count_if(changes_side) over (
            partition by area_code, crime_type, period_type, segment
            order by period_start
        ) as run
    from sides

),

run_lengths as (

    select
        area_code,
        crime_type,
        period_type,
        period_start,
        count(*) over (
            partition by area_code, crime_type, period_type, segment, run
        ) as run_length
    from runs

)

select
    charted.area_code,
    charted.crime_type,
    charted.period_type,
    charted.period_start,
    charted.segment::integer as xmr_segment,
    charted.points::integer as xmr_points,
    charted.since as xmr_since,
    charted.is_restart as xmr_is_restart,
    charted.centre as xmr_centre,
    charted.moving_range_mean as xmr_moving_range_mean,
    charted.lower_limit as xmr_lower,
    charted.upper_limit as xmr_upper,
    -- A point beyond a limit says more than the run that it may be part of.
    case
        when charted.offences > charted.upper_limit then 'above limit'
        when charted.offences < charted.lower_limit then 'below limit'
        when run_lengths.run_length >= {{ var('xmr_run_length') }} and charted.side > 0
            then 'run above centre'
        when run_lengths.run_length >= {{ var('xmr_run_length') }} and charted.side < 0
            then 'run below centre'
    end as xmr_signal
from charted
inner join run_lengths
    on
        charted.area_code = run_lengths.area_code
        and charted.crime_type = run_lengths.crime_type
        and charted.period_type = run_lengths.period_type
        and charted.period_start = run_lengths.period_start
