{#- The kind of an area by the first three characters of its GSS code; null for a kind that is not
    of the hierarchy. Small areas are E01 and W01, the middle areas that hold them E02 and W02. -#}
{% macro gss_area_type(code) -%}
    case
        when left({{ code }}, 3) in ('E01', 'W01') then 'small area'
        when left({{ code }}, 3) in ('E02', 'W02') then 'middle area'
        when left({{ code }}, 3) in ('E05', 'W05') then 'ward'
        when left({{ code }}, 3) in ('E06', 'E07', 'E08', 'E09', 'W06') then 'district'
        when left({{ code }}, 3) in ('E10', 'E11') then 'county'
        when left({{ code }}, 3) in ('E22', 'W14') then 'partnership area'
        when left({{ code }}, 3) in ('E23', 'W15') then 'force'
        when left({{ code }}, 3) = 'E12' then 'region'
        when left({{ code }}, 3) in ('E92', 'W92') then 'nation'
    end
{%- endmacro %}

{#- What two spellings of an area's name have in common: "St. Albans" and "St Albans", "Rutland UA"
    and "Rutland", "Bristol, City of" and "Bristol" are one name. -#}
{% macro comparable_name(name) -%}
    regexp_replace(
        regexp_replace(
            regexp_replace(
                replace(lower(strip_accents({{ name }})), '&', ' and '),
                ', (city|county|royal borough) of$|^(city|county) of |\s+\(?ua\)?$', '', 'g'
            ),
            '\bsaint\b', 'st', 'g'
        ),
        '[^a-z0-9]', '', 'g'
    )
{%- endmacro %}

{#- Bounds of a time that is open to one side, so that days can be compared; and back again. -#}
{% macro since(day) -%}
    coalesce({{ day }}, date '0001-01-01')
{%- endmacro %}

{% macro until(day) -%}
    coalesce({{ day }}, date '9999-12-31')
{%- endmacro %}

{% macro known_first_day(day) -%}
    nullif({{ day }}, date '0001-01-01')
{%- endmacro %}

{% macro known_last_day(day) -%}
    nullif({{ day }}, date '9999-12-31')
{%- endmacro %}

{#- The areas that a record is counted in, one a row: its own, the partnership of several districts
    that holds it, and the force area. Codes that are null or the same are left out. -#}
{% macro areas_counted_in(area_code, partnership_code, force_code) -%}
    unnest(list_distinct([{{ area_code }}, {{ partnership_code }}, {{ force_code }}]))
{%- endmacro %}

{#- Code of a district's partnership among the areas of the hierarchy, where one of a single
    district is not its district: its short name. -#}
{% macro partnership_area_of(partnership_code, area_code, csp) -%}
    case
        when {{ partnership_code }} <> {{ area_code }} then {{ partnership_code }}
        else {{ csp }}
    end
{%- endmacro %}
