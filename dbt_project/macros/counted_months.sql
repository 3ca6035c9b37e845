{#- The months of each force that are to be counted, with what the count depends on beside the rows
    of the month: the delivery in force for it, how small areas are placed, and the corrections of
    deliveries, which are part of the view that staging reads. -#}
{% macro counted_months() -%}
    select
        force_months.force_code,
        force_months.force_name,
        force_months.month,
        force_months.delivery,
        placement.counted_under
    from {{ ref('int_force_months__in_force') }} as force_months
    cross join (
        select
            coalesce(
                sum(
                    md5_number_lower(
                        concat_ws('|', places.lsoa_code, areas.area_code, areas.force_code)
                    )::hugeint
                ),
                0
            ) || ' ' || coalesce(
                (
                    select max(md5(views.sql))
                    from duckdb_views() as views
                    where
                        views.schema_name = 'in_force'
                        and views.view_name = 'police_uk_street'
                ),
                ''
            ) as counted_under
        from {{ ref('int_small_areas__placed') }} as places
        inner join {{ ref('int_areas__listed') }} as areas
            on places.district_code = areas.area_code
        where areas.area_type = 'district'
    ) as placement
{%- endmacro %}

{#- Deletes the counts of an earlier build that are outdated: months whose delivery was replaced or
    is not in force as at this quarter, or whose small areas are placed in another district. -#}
{% macro delete_outdated_months() -%}
    {%- if is_incremental() -%}
        delete from {{ this }} as counted
        where not exists (
            select 1
            from ({{ counted_months() }}) as wanted
            where
                counted.force_code = wanted.force_code
                and counted.month = wanted.month
                and counted.delivery is not distinct from wanted.delivery
                and counted.counted_under = wanted.counted_under
        )
    {%- endif -%}
{%- endmacro %}
