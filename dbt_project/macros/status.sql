{#- One marker a row, in the shorthand of UK official statistics. What explains an empty cell comes
    first: [x] not available, [z] not applicable; then what qualifies a full one: [b] first point
    after a break in series, [p] population carried forward. Null: nothing to say. -#}
{% macro row_status(unavailable, not_applicable='false', after_break='false', carried='false') -%}
    case
        when {{ not_applicable }} then '[z]'
        when {{ unavailable }} then '[x]'
        when {{ after_break }} then '[b]'
        when {{ carried }} then '[p]'
    end
{%- endmacro %}

{#- The deliveries behind a row, as one text: each once, in order; parts that are null are left out.
    A part may name several deliveries already. -#}
{% macro joined_deliveries(first, second) -%}
    {{ listed_deliveries("string_split(concat_ws('; ', " ~ first ~ ', ' ~ second ~ "), '; ')") }}
{%- endmacro %}

{#- The deliveries behind a group of rows, in the same form. -#}
{% macro all_deliveries(deliveries) -%}
    {{ listed_deliveries(
        "flatten(list(string_split(" ~ deliveries ~ ", '; ')) filter (where " ~ deliveries
        ~ ' is not null))'
    ) }}
{%- endmacro %}

{#- The deliveries without those of a source, for a row that shows nothing of that one. -#}
{% macro deliveries_without(deliveries, source) -%}
    {{ listed_deliveries(
        "list_filter(string_split(" ~ deliveries ~ ", '; '), lambda name: not starts_with(name, '"
        ~ source ~ " '))"
    ) }}
{%- endmacro %}

{% macro listed_deliveries(names) -%}
    nullif(array_to_string(list_sort(list_distinct({{ names }})), '; '), '')
{%- endmacro %}
