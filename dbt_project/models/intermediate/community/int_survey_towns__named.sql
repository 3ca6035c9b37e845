-- Towns that the responses of each survey may name. Where the partnerships file names the survey,
-- they are those of its districts; a name that may be of two districts is of neither.

with surveys as (

    select distinct survey from {{ ref('stg_community_survey__responses') }}

),

towns as (

    select
        town,
        area_code,
        district_code
    from {{ source('control', 'partnership_towns') }}

),

named as (

    select
        survey,
        district_code
    from {{ source('control', 'partnership_surveys') }}

)

select
    surveys.survey,
    towns.town,
    towns.area_code,
    towns.district_code
from surveys
cross join towns
left join named
    on
        lower(surveys.survey) = lower(named.survey)
        and towns.district_code = named.district_code
where
    named.survey is not null
    or lower(surveys.survey) not in (select lower(known.survey) from named as known)
qualify count(*) over (partition by surveys.survey, towns.town) = 1
