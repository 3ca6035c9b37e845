{#- Columns that are never empty. Returns the rows where one is, and says which (null_columns).
    A column of a mart or report has a not_null constraint instead, which its contract enforces.
    Where a key or rules are tested too, outside staging, `row_rules` has these columns too. -#}
{% test columns_not_null(model, columns) %}
select *
from (
    select
        concat_ws(
            ', ',
            {%- for column in columns %}
            case when {{ column }} is null then '{{ column }}' end{{ ',' if not loop.last }}
            {%- endfor %}
        ) as null_columns,
        *
    from {{ model }}
)
where null_columns <> ''
{% endtest %}
