{#- No row of a table that judges itself has a fault. Returns one row that says all of them
    (broken_rules): each in the words of `fault`, the first fifty in full, then how many more. -#}
{% test without_fault(model) %}
select
    array_to_string(list(fault order by fault)[:50], '; ')
    || case when count(*) > 50 then '; and ' || (count(*) - 50) || ' more' else '' end
        as broken_rules
from {{ model }}
where fault is not null
having count(*) > 0
{% endtest %}
