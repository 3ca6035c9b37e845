{#- Area of a person by where a probation extract says that they live. `served` is the area's code
    where the district is one of the force's own, and null otherwise. Every other district is
    outside. An address that could not be placed is unlocated, one that is not held is unstated. -#}
{% macro residence_area(residence, served, force_code) -%}
    case
        when {{ residence }} is null then {{ force_code }} || ':unstated'
        when {{ residence }} = 'No geographic data' then {{ force_code }} || ':unlocated'
        else coalesce({{ served }}, {{ force_code }} || ':outside')
    end
{%- endmacro %}
