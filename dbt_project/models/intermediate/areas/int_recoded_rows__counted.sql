-- Rows of deliveries in force that carry the code of a district that was recoded or merged. They
-- are counted in the district that it became part of. Those of a time after the change should carry
-- its code. Crimes carry small areas, whose codes a change of districts does not touch.

{%- set coded_rows = [
    ('stg_police_charges__charges', 'charge_month', 'residence_code'),
    ('stg_probation_caseload__people', 'snapshot_date', 'residence'),
    ('stg_oasys_assessments__people', 'snapshot_date', 'residence'),
    ('stg_youth_offending__registrations', 'return_quarter', 'district_code'),
    ('stg_iom_cohort__people', 'snapshot_date', 'district_code'),
    ('stg_prison_releases__figures', 'period_start', 'area_code'),
    ('stg_police_offender_counts__offenders', 'make_date(calendar_year, 1, 1)', 'area_code'),
    ('stg_population_estimates__populations', 'mid_year', 'area_code'),
    ('stg_dwelling_stock__dwellings', 'stock_date', 'area_code'),
    ('stg_supported_accommodation__places', 'snapshot_date', 'district_code'),
] %}

with coded as (

    {% for staged, first_day, district_code in coded_rows %}
    select
        delivery,
        {{ first_day }} as first_day,
        {{ district_code }} as district_code
    from {{ ref(staged) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    coded.delivery,
    served.district_code,
    served.district_name,
    served.area_code,
    served.area_name,
    served.changed_on,
    coded.first_day >= served.changed_on as is_outdated,
    count(*) as coded_rows
from coded
inner join {{ ref('int_district_codes__served') }} as served
    on coded.district_code = served.district_code
where served.is_predecessor
group by all
