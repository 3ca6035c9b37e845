{#- What must hold in every row of a table. Returns the rows where something does not, and says
    what (broken_rules). At least one of:
    rules: conditions by name; a row where a condition is unknown fails as well;
    not_negative: columns that hold a count, stock, rate or population, never below nought;
    accepted: by text column, the values it may take.
    An empty cell breaks neither of the last two. -#}
{% test holds(model, rules={}, not_negative=[], accepted={}) %}
{%- set checks = [] -%}
{%- for name, condition in rules.items() -%}
    {%- do checks.append(
        "case when not coalesce((" ~ condition ~ "), false) then '" ~ name ~ "' end"
    ) -%}
{%- endfor -%}
{%- for column in not_negative -%}
    {%- do checks.append(
        "case when " ~ column ~ " < 0 then '" ~ column ~ " is below nought' end"
    ) -%}
{%- endfor -%}
{%- for column, values in accepted.items() -%}
    {%- do checks.append(
        "case when " ~ column ~ " not in ('" ~ values | join("', '") ~ "')"
        ~ " then '" ~ column ~ " is not an accepted value' end"
    ) -%}
{%- endfor -%}
{%- if not checks -%}
    {{ exceptions.raise_compiler_error("holds needs rules, not_negative or accepted") }}
{%- endif -%}
select *
from (
    select
        concat_ws(
            '; ',
            {{ checks | join(',\n            ') }}
        ) as broken_rules,
        *
    from {{ model }}
)
where broken_rules <> ''
{% endtest %}
