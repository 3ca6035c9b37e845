{#- What must hold in a table, in one test: a test costs a refresh the same however little it asks.
    Returns what does not hold, and says each fault in its own words (broken_rules). Any of:
    not_null: columns that are never empty. A column of a mart or report has a not_null constraint
        instead, which its contract enforces;
    rules: conditions by name; a row where a condition is unknown fails as well;
    not_negative: columns that hold a count, stock, rate or population, never below nought;
    accepted: by text column, the values it may take.
    An empty cell breaks neither of the last two. With them:
    key: columns that together are the key; each combination that occurs twice is returned. -#}
{% test holds(model, key=[], not_null=[], rules={}, not_negative=[], accepted={}) %}
{%- set checks = [] -%}
{%- for column in not_null -%}
    {%- do checks.append("case when " ~ column ~ " is null then '" ~ column ~ " is empty' end") -%}
{%- endfor -%}
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
    {{ exceptions.raise_compiler_error(
        "holds needs not_null, rules, not_negative or accepted; a key alone is unique_combination"
    ) }}
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
{%- if key %}
union all by name
select
    'more than one row has the same {{ key | join(', ') }}' as broken_rules,
    {{ key | join(', ') }}
from {{ model }}
group by {{ key | join(', ') }}
having count(*) > 1
{%- endif %}
{% endtest %}
