{#- Columns with counts of stops and searches, from the counted to the mart. -#}
{% macro search_counts() -%}
    {{ return([
        'searches', 'vehicle_searches', 'searches_with_arrest', 'searches_with_other_action',
        'searches_with_no_further_action', 'searches_with_outcome_unknown',
        'searches_with_link_stated', 'searches_linked'
    ]) }}
{%- endmacro %}
