-- People on each caseload snapshot by area of residence and by every category of every dimension,
-- as many as there are: categories without anyone are added in the mart. Age is that on the day of
-- the snapshot.

with people as (

    select
        cohort,
        snapshot_date,
        police_force,
        residence,
        sex,
        ethnicity,
        order_type,
        main_offence,
        ogrs3_score,
        accommodation_status,
        disability,
        mental_health,
        self_harm,
        area_classification,
        delivery,
        age_at_snapshot as age
    from {{ ref('stg_probation_caseload__people') }}

),

areas as (

    select
        area_code,
        area_type,
        force_code,
        force_name
    from {{ ref('int_probation_areas__listed') }}

),

placed as (

    select
        people.cohort,
        people.snapshot_date,
        people.age,
        people.sex,
        people.ethnicity,
        people.order_type,
        people.main_offence,
        people.ogrs3_score,
        people.accommodation_status,
        people.disability,
        people.mental_health,
        people.self_harm,
        people.area_classification,
        people.delivery,
        forces.force_code,
        {{ residence_area('people.residence', 'districts.area_code', 'forces.force_code') }}
            as area_code
    from people
    inner join areas as forces
        on people.police_force = forces.force_name and forces.area_type = 'force'
    left join {{ ref('int_district_codes__served') }} as districts
        on
            people.residence = districts.district_code
            and forces.force_code = districts.force_code

),

-- Dimensions whose categories are made of supplied values.
supplied as (

    {% for dimension, column in [
        ('Gender', 'sex'),
        ('Ethnicity', 'ethnicity'),
        ('Order category', 'order_type'),
        ('Offence category', 'main_offence'),
        ('Disability', 'disability'),
        ('Mental health', 'mental_health'),
        ('Accommodation status', 'accommodation_status'),
        ('Suicide or self-harm', 'self_harm'),
        ('Area classification', 'area_classification'),
    ] %}
    select
        cohort,
        snapshot_date,
        area_code,
        force_code,
        delivery,
        '{{ dimension }}' as dimension,
        {{ column }} as supplied_value
    from placed
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

not_known as (

    select
        dimension,
        category
    from {{ ref('probation_categories') }}
    where not is_known

),

divided as (

    select
        supplied.cohort,
        supplied.snapshot_date,
        supplied.area_code,
        supplied.force_code,
        supplied.delivery,
        supplied.dimension,
        -- A value that is not listed has no category, which a test finds; it is not "not known".
        case
            when supplied.supplied_value is null then not_known.category
            else listed.category
        end as category
    from supplied
    left join not_known on supplied.dimension = not_known.dimension
    left join {{ ref('probation_values') }} as listed
        on
            supplied.dimension = listed.dimension
            and supplied.supplied_value = listed.supplied_value
    union all
    select
        cohort,
        snapshot_date,
        area_code,
        force_code,
        delivery,
        'Age group' as dimension,
        case
            when age is null then 'Not known'
            when age <= 21 then '21 and under'
            when age <= 25 then '22-25'
            when age <= 30 then '26-30'
            when age <= 35 then '31-35'
            when age <= 40 then '36-40'
            when age <= 50 then '41-50'
            when age <= 60 then '51-60'
            else '61 or older'
        end as category
    from placed
    union all
    select
        cohort,
        snapshot_date,
        area_code,
        force_code,
        delivery,
        'Age under 21' as dimension,
        case when age is null then 'Not known' when age < 21 then 'Yes' else 'No' end as category
    from placed
    union all
    select
        cohort,
        snapshot_date,
        area_code,
        force_code,
        delivery,
        'OGRS 3' as dimension,
        case
            when ogrs3_score is null then 'Blank'
            when ogrs3_score < 25 then 'Low <25'
            when ogrs3_score <= 40 then 'Medium 25-40'
            when ogrs3_score < 80 then 'High 41-79'
            else 'Very High 80+'
        end as category
    from placed

)

select
    cohort,
    snapshot_date,
    area_code,
    force_code,
    dimension,
    category,
    any_value(delivery) as delivery,
    count(*) as people
from divided
group by cohort, snapshot_date, area_code, force_code, dimension, category
