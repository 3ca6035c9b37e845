{#- The rules of a table's rows, in one test, because every test takes the same time in a refresh
    however little it checks. Returns the rows that break a rule, and in broken_rules which. Any of:
    not_null: columns that are never empty. A column of a mart or report has a not_null constraint
        instead, which its contract enforces;
    rules: conditions by name; a row where a condition is unknown breaks it too;
    not_negative: columns with a count, stock, rate or population, which are never below zero;
    accepted: by text column, the values it may take.
    An empty cell breaks neither of the last two. With them:
    key: columns that together are the key; the test returns each combination that occurs twice. -#}
{% test row_rules(model, key=[], not_null=[], rules={}, not_negative=[], accepted={}) %}
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
        "case when " ~ column ~ " < 0 then '" ~ column ~ " is below zero' end"
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
        "row_rules needs not_null, rules, not_negative or accepted; "
        "for a key alone use unique_combination_of_columns"
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
