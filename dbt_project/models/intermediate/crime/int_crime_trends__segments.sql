-- The stretches of a series that have control limits of their own. A hole or a break in the series
-- starts one, and so does a sustained shift, found by the Stable Shift Algorithm ("Re-establishing
-- control limits in statistical process control analyses", BMJ Quality & Safety, 2025).

with points as (

    select
        area_code,
        crime_type,
        period_type,
        period_start,
        period_number,
        offences,
        is_after_break
    from {{ ref('int_crime_trends__counted') }}
    where offences is not null

),

-- An unbroken stretch has neither a hole nor a break in it.
starts as (

    select
        area_code,
        crime_type,
        period_type,
        period_start,
        offences,
        (
            is_after_break
            or lag(period_number) over series is distinct from period_number - 1
        ) as starts_stretch
    from points
    window series as (partition by area_code, crime_type, period_type order by period_start)

),

stretched as (

    select
        area_code,
        crime_type,
        period_type,
        period_start,
        offences,
        count_if(starts_stretch) over (
            partition by area_code, crime_type, period_type
            order by period_start
        ) as stretch
    from starts

),

stretches as (

    select
        area_code,
        crime_type,
        period_type,
        stretch,
        list(offences::double order by period_start) as counts
    from stretched
    group by area_code, crime_type, period_type, stretch

),

-- Positions at which limits are drawn anew, after 1, where the stretch begins. Every position is
-- judged in turn against the baseline of the last one that was taken.
restarted as (

    select
        area_code,
        crime_type,
        period_type,
        stretch,
        -- sqlfluff does not know lambdas of two parameters.
        list_reduce(  -- noqa: PRS
            list_transform(range(1, len(counts) + 1), lambda place: [place]),
            lambda taken, here: case
                when {{ is_sustained_shift('counts', 'taken[-1]', 'here[1]') }}
                    then list_concat(taken, here)
                else taken
            end
        ) as positions
    from stretches

),

numbered as (

    select
        area_code,
        crime_type,
        period_type,
        period_start,
        offences,
        stretch,
        row_number() over (
            partition by area_code, crime_type, period_type, stretch
            order by period_start
        ) as place
    from stretched

),

marked as (

    select
        numbered.area_code,
        numbered.crime_type,
        numbered.period_type,
        numbered.period_start,
        numbered.offences,
        numbered.place,
        list_contains(restarted.positions, numbered.place) as starts_segment
    from numbered
    inner join restarted
        on
            numbered.area_code = restarted.area_code
            and numbered.crime_type = restarted.crime_type
            and numbered.period_type = restarted.period_type
            and numbered.stretch = restarted.stretch

)

select
    area_code,
    crime_type,
    period_type,
    period_start,
    offences,
    count_if(starts_segment) over (
        partition by area_code, crime_type, period_type
        order by period_start
    ) as xmr_segment,
    starts_segment and place > 1 as is_restart
from marked
