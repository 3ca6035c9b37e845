{#- What scanning many series at once needs: tests of counts that vary more than chance alone makes
    them, a correction for their number, and points of a priority score. -#}

{#- Two-sided p value of a standard normal deviate. The tail is that of Abramowitz and Stegun,
    Handbook of Mathematical Functions, formula 26.2.17, whose error is below 7.5e-8. -#}
{% macro two_sided_p(z) -%}
    {%- set t = '(1 / (1 + 0.2316419 * abs(' ~ z ~ ')))' -%}
    greatest(0, least(1, 2 * exp(-power({{ z }}, 2) / 2) / sqrt(2 * pi()) * {{ t }} * (
        0.319381530 + {{ t }} * (-0.356563782 + {{ t }} * (
            1.781477937 + {{ t }} * (-1.821255978 + {{ t }} * 1.330274429)))
    )))
{%- endmacro %}

{#- The p value of Benjamini and Hochberg (Journal of the Royal Statistical Society B 57, 1995),
    adjusted for the `family` tested together: where it is at most 0.05, no more than 5 % of what is
    called a difference is expected to be none. `position` and `tests` are the p value's place in its
    family from the smallest, and the number of p values there. -#}
{% macro adjusted_p(p, position, tests, family) -%}
    least(1, min({{ p }} * {{ tests }} / {{ position }}) over (
        partition by {{ family }}
        order by {{ position }} desc
        rows between unbounded preceding and current row
    ))
{%- endmacro %}

{#- Limits of the ratio of two counts, given their sum, by Wilson's interval of the first one's
    share. Counts are divided by `dispersion`, by how many times the variance exceeds the mean. Null
    where there is no limit. -#}
{% macro ratio_lower(count_1, count_2, dispersion) -%}
    {{ odds(proportion_lower(
        '(' ~ count_1 ~ ' / ' ~ dispersion ~ ')',
        '((' ~ count_1 ~ ' + ' ~ count_2 ~ ') / ' ~ dispersion ~ ')'
    )) }}
{%- endmacro %}

{% macro ratio_upper(count_1, count_2, dispersion) -%}
    {{ odds(proportion_upper(
        '(' ~ count_1 ~ ' / ' ~ dispersion ~ ')',
        '((' ~ count_1 ~ ' + ' ~ count_2 ~ ') / ' ~ dispersion ~ ')'
    )) }}
{%- endmacro %}

{% macro odds(share) -%}
    ({{ share }} / nullif(1 - {{ share }}, 0))
{%- endmacro %}

{#- 'higher' or 'lower' where the adjusted p value leaves out chance, else 'similar'. -#}
{% macro verdict(z, adjusted) -%}
    case
        when {{ adjusted }} <= {{ var('false_signal_share') }} and {{ z }} > 0 then 'higher'
        when {{ adjusted }} <= {{ var('false_signal_share') }} and {{ z }} < 0 then 'lower'
        when {{ adjusted }} is not null then 'similar'
    end
{%- endmacro %}

{#- Points from 0 (half as high, or less) over 50 (no clear difference) to 100 (twice as high, or
    more), by the limit of the ratio that lies nearest to no difference. -#}
{% macro points_of_ratio(compared, lower, upper) -%}
    case {{ compared }}
        when 'higher' then 50 + 50 * least(1, log2({{ lower }}))
        when 'lower' then 50 + 50 * greatest(-1, log2(greatest({{ upper }}, 0.5)))
        when 'similar' then 50
    end
{%- endmacro %}

{#- A list of counts as text, with [x] where there is none. -#}
{% macro listed_counts(counts) -%}
    array_to_string(list_transform({{ counts }}, lambda one: coalesce(one::varchar, '[x]')), ', ')
{%- endmacro %}

{#- A percentage with its sign, such as +4% or −20%. -#}
{% macro signed_percent(value) -%}
    (
        case when round({{ value }}) < 0 then '−' else '+' end
        || abs(round({{ value }}))::bigint || '%'
    )
{%- endmacro %}

{#- The best and the worst place as text, such as 2 to 4, or 3 where they are one. -#}
{% macro rank_range(best, worst) -%}
    case
        when {{ best }} < {{ worst }} then {{ best }} || ' to ' || {{ worst }}
        else {{ best }}::varchar
    end
{%- endmacro %}
