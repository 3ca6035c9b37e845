-- Whether a small area and its neighbours together have more offences, or fewer, than places of the
-- force taken at random: the local statistic Gi* of Getis and Ord (Geographical Analysis 24, 1992;
-- 27, 1995) of ranks, since of skewed counts one place alone makes hot spots of its neighbours.

with ranked as (

    select
        compared.force_code,
        compared.small_area_code,
        compared.crime_type,
        compared.period,
        compared.offences,
        {{ middle_rank(
            'compared.offences', 'compared.force_code, compared.crime_type, compared.period'
        ) }} as middle_rank
    from {{ ref('int_small_area_crime__compared') }} as compared
    inner join {{ ref('int_small_areas__described') }} as small_areas
        on compared.small_area_code = small_areas.small_area_code
    where small_areas.boundary is not null

),

families as (

    select
        force_code,
        crime_type,
        period,
        count(*) as places,
        avg(middle_rank) as mean_rank,
        -- Sums of halves and quarters are exact, so that every build gives the same digits.
        sqrt(avg(middle_rank * middle_rank) - power(avg(middle_rank), 2)) as rank_deviation
    from ranked
    group by force_code, crime_type, period
    -- Of fewer places, or of counts that are nearly all 0 and 1, sums of ranks are far from normal.
    having
        count(*) >= {{ var('hot_spot_min_places') }}
        and avg(offences) >= {{ var('hot_spot_min_mean') }}

),

around as (

    select
        ranked.force_code,
        ranked.small_area_code,
        ranked.crime_type,
        ranked.period,
        count(*) as places_around,
        sum(others.middle_rank) as ranks_around,
        sum(others.offences)::bigint as offences_around
    from ranked
    inner join {{ ref('int_small_area_neighbours__shared') }} as neighbours
        on ranked.small_area_code = neighbours.small_area_code
    inner join ranked as others
        on
            neighbours.neighbour_code = others.small_area_code
            and ranked.crime_type = others.crime_type
            and ranked.period = others.period
    group by ranked.force_code, ranked.small_area_code, ranked.crime_type, ranked.period
    -- Boundaries of two generalisations share no points: such places have no neighbours to test.
    having count(*) > 1

),

deviates as (

    select
        around.force_code,
        around.small_area_code,
        around.crime_type,
        around.period,
        around.places_around,
        around.offences_around,
        (around.ranks_around - around.places_around * families.mean_rank)
        / nullif(
            families.rank_deviation * sqrt(
                around.places_around * (families.places - around.places_around)
                / (families.places - 1)
            ),
            0
        ) as gi_star
    from around
    inner join families
        on
            around.force_code = families.force_code
            and around.crime_type = families.crime_type
            and around.period = families.period

),

tests as (

    select
        force_code,
        small_area_code,
        crime_type,
        period,
        places_around,
        offences_around,
        gi_star,
        {{ two_sided_p('gi_star') }} as p
    from deviates
    where gi_star is not null

),

placed as (

    select
        force_code,
        small_area_code,
        crime_type,
        period,
        places_around,
        offences_around,
        gi_star,
        p,
        row_number() over (
            partition by force_code, crime_type, period
            order by p, small_area_code
        ) as position,
        count(*) over (partition by force_code, crime_type, period) as tests
    from tests

),

adjusted as (

    select
        force_code,
        small_area_code,
        crime_type,
        period,
        places_around,
        offences_around,
        gi_star,
        {{ adjusted_p('p', 'position', 'tests', 'force_code, crime_type, period') }} as adjusted_p
    from placed

)

select
    force_code,
    small_area_code,
    crime_type,
    period,
    places_around,
    offences_around,
    gi_star,
    adjusted_p,
    case {{ verdict('gi_star', 'adjusted_p') }}
        when 'higher' then 'hot spot'
        when 'lower' then 'cold spot'
        when 'similar' then 'not clear'
    end as verdict
from adjusted
