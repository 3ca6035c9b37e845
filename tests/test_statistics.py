"""The statistics in SQL against worked values: every macro is rendered and run as dbt renders it.

The worked values stand in ``golden/oracles.csv``, those of the UK Health Security Agency's own test
sheets among them. They must be met to 1e-9 relative.
"""

import ast
import math
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from random import Random
from statistics import NormalDist
from typing import Any

import duckdb
import jinja2
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.disclosure import confidence_limits as comparisons
from tests.support import GOLDEN, csv_rows

DBT = Path(__file__).parents[1] / "dbt_project"
MACRO_FILES = ("rates.sql", "proportions.sql", "differences.sql")
TRENDS = DBT / "models/intermediate/crime"
SEGMENTS_MODEL = TRENDS / "int_crime_trends__segments.sql"
LIMITS_MODEL = TRENDS / "int_crime_trends__limits.sql"
ORACLES = {row["oracle_id"]: row for row in csv_rows(GOLDEN / "oracles.csv")}
EXPECTED_KINDS = {
    "byar": 5, "wilson": 5, "exact": 4, "rate": 3, "prop": 3, "newcombe": 1, "xmr": 1,
}  # fmt: skip


def kind_of(oracle: str) -> str | None:
    longest_first = sorted(EXPECTED_KINDS, key=len, reverse=True)
    return next((kind for kind in longest_first if oracle.startswith(f"{kind}_")), None)


CHECKED = [oracle for oracle in ORACLES if kind_of(oracle)]


def variables() -> dict[str, Any]:
    project = yaml.safe_load((DBT / "dbt_project.yml").read_text())
    found: dict[str, Any] = project["vars"]["csp_warehouse"]
    return found


def value(call: str, confidence: float = 0.95) -> Any:
    """Run one macro call on its own."""
    given = variables()
    if confidence != 0.95:
        given["confidence_z"] = NormalDist().inv_cdf(0.5 + confidence / 2)
    macros = "".join((DBT / "macros" / name).read_text() for name in MACRO_FILES)
    sql = jinja2.Environment(autoescape=False).from_string(macros + "{{ " + call + " }}")
    with duckdb.connect() as connection:
        (row,) = connection.execute(f"select {sql.render(var=given.__getitem__)}").fetchall()
    return row[0]


def inputs(oracle: str) -> dict[str, float]:
    pairs = (part.split("=") for part in ORACLES[oracle]["inputs"].split(","))
    return {name: float(number) for name, number in pairs}


def expected(oracle: str) -> list[float]:
    return [
        float(part.split("=")[-1]) for part in ORACLES[oracle]["expected"].rstrip(";").split(";")
    ]


def close(found: float | None, wanted: float) -> bool:
    return found is not None and math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-12)


def exact_limits(events: int, confidence: float) -> tuple[float, float]:
    """Limits of a Poisson count, by halving, from their definition: a tail of (1 - confidence) / 2.

    Independent of the seed's chi-squared quantiles.
    """
    tail = (1 - confidence) / 2

    def at_most(count: int, mean: float) -> float:
        return math.fsum(
            math.exp(-mean + n * math.log(mean) - math.lgamma(n + 1)) for n in range(count + 1)
        )

    def crossing(falling: Callable[[float], float], level: float) -> float:
        low, high = 1e-12, 200.0
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if falling(middle) > level else (low, middle)
        return (low + high) / 2

    upper = crossing(lambda mean: at_most(events, mean), tail)
    lower = crossing(lambda mean: at_most(events - 1, mean), 1 - tail) if events else 0.0
    return lower, upper


def check_byar(oracle: str) -> list[tuple[float | None, float]]:
    given = inputs(oracle)
    calls = [f"byars_{side}('{given['x']:.0f}')" for side in ("lower", "upper")]
    found = [value(call, given["confidence"]) for call in calls]
    return list(zip(found, expected(oracle), strict=True))


def check_wilson(oracle: str) -> list[tuple[float | None, float]]:
    given = inputs(oracle)
    numbers = f"'{given['x']:.0f}', '{given['n']:.0f}'"
    calls = [f"proportion_{side}({numbers})" for side in ("lower", "upper")]
    found = [value(call, given["confidence"]) for call in calls]
    pairs = list(zip(found, expected(oracle), strict=True))
    if given["confidence"] == 0.95:
        # The findings of the pack are worded from the same limits, computed in Python.
        limits = comparisons.wilson(given["x"], given["n"])
        pairs += zip((limits.lower, limits.upper), expected(oracle), strict=True)
    return pairs


def check_exact(oracle: str) -> list[tuple[float | None, float]]:
    given = inputs(oracle)
    found: tuple[float, float] = exact_limits(int(given["x"]), given["confidence"])
    pairs: list[tuple[float | None, float]] = list(zip(found, expected(oracle), strict=True))
    if given["confidence"] == 0.95:
        (row,) = (one for one in exact_seed() if one["offences"] == f"{given['x']:.0f}")
        pairs += [(float(row["lower"]), pairs[0][1]), (float(row["upper"]), pairs[1][1])]
    return pairs


def check_rate(oracle: str) -> list[tuple[float | None, float]]:
    given = inputs(oracle)
    events, population = f"'{given['x']:.0f}'", f"'{given['pop']:.0f}'"
    # No exact limits from ten events on: the seed's columns are null there.
    exact = "'struct_pack(lower := null::double, upper := null::double)'"
    calls = [
        f"rate_per_1000({events}, {population})",
        f"rate_lower({events}, {population}, {exact})",
        f"rate_upper({events}, {population}, {exact})",
    ]
    return list(zip([value(call) for call in calls], expected(oracle), strict=True))


def check_prop(oracle: str) -> list[tuple[float | None, float]]:
    given = inputs(oracle)
    numbers = f"'{given['x']:.0f}', '{given['n']:.0f}'"
    calls = [f"proportion{side}({numbers})" for side in ("", "_lower", "_upper")]
    found = [100 * (value(call) or 0) for call in calls]
    return list(zip(found, expected(oracle), strict=True))


def check_newcombe(oracle: str) -> list[tuple[float | None, float]]:
    numbers = ORACLES[oracle]["inputs"].replace(" - ", "/").split("/")
    quoted = ", ".join(f"'{number}'" for number in numbers)
    calls = [f"difference{side}({quoted})" for side in ("", "_lower", "_upper")]
    limits = comparisons.difference(*(float(number) for number in numbers))
    return [
        *zip([value(call) for call in calls], expected(oracle), strict=True),
        *zip((limits.lower, limits.upper), expected(oracle)[1:], strict=True),
    ]


def check_xmr(oracle: str) -> list[tuple[float | None, float]]:
    limits = xmr_limits(ast.literal_eval(ORACLES[oracle]["inputs"]))
    (found,) = set(limits)
    *numbers, signal = found
    assert signal is None
    return list(zip(numbers, expected(oracle), strict=True))


def rendered(model: Path) -> str:
    """Return a model's SQL with its macros, over tables whose names begin with ``input_``."""
    macros = (DBT / "macros/control_limits.sql").read_text()
    template = jinja2.Environment(autoescape=False).from_string(macros + model.read_text())
    return template.render(ref=lambda name: f"input_{name}", var=variables().__getitem__)


def segmented(connection: duckdb.DuckDBPyConnection, series: Sequence[int]) -> None:
    """Make the segments of one made-up series, for the model of the control limits."""
    connection.execute(
        "create or replace table input_int_crime_trends__counted as select 'A' as area_code, "
        "'Shoplifting' as crime_type, 'month' as period_type, "
        "date '2018-01-01' + to_months((place - 1)::integer) as period_start, "
        "place as period_number, offences, false as is_after_break "
        "from (select unnest(?::integer[]) as offences, "
        "generate_subscripts(?::integer[], 1) as place)",
        [series, series],
    )
    connection.execute(
        "create or replace table input_int_crime_trends__segments as "
        f"from ({rendered(SEGMENTS_MODEL)})"
    )


def xmr_limits(series: Sequence[int]) -> list[tuple[Any, ...]]:
    """Run the models of the control limits over one made-up series."""
    with duckdb.connect() as connection:
        segmented(connection, series)
        return connection.execute(
            "select xmr_centre, xmr_moving_range_mean, xmr_lower, xmr_upper, xmr_signal "
            f"from ({rendered(LIMITS_MODEL)}) order by period_start"
        ).fetchall()


def restarts(series: Sequence[int]) -> list[int]:
    """Return the places, from 0, at which the models draw the limits of a series anew."""
    with duckdb.connect() as connection:
        segmented(connection, series)
        rows = connection.execute(
            "select is_restart from input_int_crime_trends__segments order by period_start"
        ).fetchall()
    return [place for place, (restart,) in enumerate(rows) if restart]


def stable_shifts(series: Sequence[int], points: int, run: int) -> list[int]:
    """Find the restarts as the published description has it, step by step, with a counter."""
    since, counter, found = 0, points, []
    while counter + points <= len(series):
        mean = sum(series[since : since + points]) / points
        trigger = next((place for place in range(counter, len(series) - run + 1)
                        if is_run(series[place : place + run], mean)), None)  # fmt: skip
        if trigger is None or trigger + points > len(series):
            break
        candidate = sum(series[trigger : trigger + points]) / points
        upwards = series[trigger] > mean
        # A run that the end of the series cuts short could still become one.
        reverts = any(
            is_run(series[place : place + run], candidate)
            and (series[place] < candidate if upwards else series[place] > candidate)
            for place in range(trigger, trigger + points)
        )
        if reverts:
            counter = trigger + 1
        else:
            found.append(trigger)
            since, counter = trigger, trigger + points
    return found


def is_run(values: Sequence[int], centre: float) -> bool:
    return all(value > centre for value in values) or all(value < centre for value in values)


LOW, HIGH = [20, 22] * 12, [30, 32] * 12


@pytest.mark.parametrize(
    ("series", "expected_restarts"),
    [
        # By hand. 24 months about 21, then 24 about 31: the first of the higher ones starts anew.
        (LOW + HIGH, [24]),
        # One month short of limits of their own.
        (LOW + HIGH[:-1], []),
        # A run of seven is none; the eighth makes one, but the series goes back.
        (LOW + [30] * 7 + LOW, []),
        (LOW + [30] * 8 + LOW, []),
        # The way back begins in the last month of the candidate, and nobody knows how it continues.
        (LOW + HIGH[:-1] + [20], []),
        # Up and, after two years, down again: two restarts.
        (LOW + HIGH + LOW[::-1], [24, 48]),
        # A month on the baseline's mean is on neither side of it.
        (LOW + [30] * 7 + [21] + HIGH, [32]),
    ],
)
def test_limits_start_anew_only_after_a_shift_that_stays(
    series: list[int], expected_restarts: list[int]
) -> None:
    assert restarts(series) == expected_restarts


def test_each_segment_has_limits_of_its_own() -> None:
    (before,), (after,) = (set(part) for part in (xmr_limits(LOW + HIGH)[:24],
                                                  xmr_limits(LOW + HIGH)[24:]))  # fmt: skip
    # Moving ranges are all 2: limits 2.66 x 2 = 5.32 about the mean.
    assert before == pytest.approx((21, 2, 15.68, 26.32, None), nan_ok=True)
    assert after == pytest.approx((31, 2, 25.68, 36.32, None), nan_ok=True)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(8, 40), st.sampled_from([20, 26, 32])), min_size=1, max_size=5),
    st.randoms(use_true_random=False),
)
def test_restarts_are_those_of_the_published_description(
    stretches: list[tuple[int, int]], random: Random
) -> None:
    series = [level + random.randint(-6, 6) for length, level in stretches for _ in range(length)]
    given_variables = variables()
    assert restarts(series) == stable_shifts(
        series, given_variables["xmr_restart_points"], given_variables["xmr_restart_run_length"]
    )


def exact_seed() -> list[dict[str, str]]:
    return csv_rows(DBT / "seeds/poisson_exact_limits.csv")


CHECKS = {
    "byar": check_byar, "wilson": check_wilson, "exact": check_exact, "rate": check_rate,
    "prop": check_prop, "newcombe": check_newcombe, "xmr": check_xmr,
}  # fmt: skip


def test_every_statistical_oracle_is_checked() -> None:
    counted = {kind: sum(kind_of(one) == kind for one in CHECKED) for kind in EXPECTED_KINDS}
    assert counted == EXPECTED_KINDS


@pytest.mark.parametrize("oracle", CHECKED)
def test_worked_value_is_met(oracle: str) -> None:
    pairs = CHECKS[kind_of(oracle) or ""](oracle)
    assert len(pairs) >= 2
    for found, wanted in pairs:
        assert close(found, wanted), (found, wanted)


def test_every_exact_limit_of_the_seed_is_what_its_definition_gives() -> None:
    seed = exact_seed()
    assert [int(row["offences"]) for row in seed] == list(range(10))
    for row in seed:
        lower, upper = exact_limits(int(row["offences"]), float(row["confidence"]))
        assert close(float(row["lower"]), lower), row
        assert close(float(row["upper"]), upper), row


@pytest.mark.parametrize(
    "call",
    [
        "proportion('0', '0')",
        "proportion_lower('0', '0')",
        "proportion_upper('null::integer', '10')",
        "difference('1', '10', '0', '0')",
        "difference_lower('1', '10', '0', '0')",
        "difference_upper('1', '10', 'null::integer', '5')",
        "comparison('null::double', '0.1')",
    ],
)
def test_what_is_unknown_stays_unknown(call: str) -> None:
    assert value(call) is None


@pytest.mark.parametrize(("part", "whole"), [(0, 7), (7, 7), (1, 2), (3, 1000)])
def test_limits_of_a_proportion_hold_it_and_stay_within_bounds(part: int, whole: int) -> None:
    numbers = f"'{part}', '{whole}'"
    point = value(f"proportion({numbers})")
    lower, upper = value(f"proportion_lower({numbers})"), value(f"proportion_upper({numbers})")
    assert point is not None and lower is not None and upper is not None
    assert -1e-12 <= lower <= point + 1e-12
    assert point - 1e-12 <= upper <= 1 + 1e-12


def test_a_difference_turns_round_with_its_groups() -> None:
    forward = value("difference_lower('25', '188', '92', '503')")
    backward = value("difference_upper('92', '503', '25', '188')")
    assert forward is not None and backward is not None
    assert math.isclose(forward, -backward, rel_tol=1e-12)


@pytest.mark.parametrize(
    ("limits", "said"),
    [("'0.01', '0.2'", "higher"), ("'-0.2', '-0.01'", "lower"), ("'-0.1', '0.1'", "similar"),
     ("'1.03', '1.26', 1", "higher"), ("'0.8', '1.2', 1", "similar")],
)  # fmt: skip
def test_groups_differ_where_the_limits_leave_out_no_difference(limits: str, said: str) -> None:
    assert value(f"comparison({limits})") == said


def in_one_query(calls: Sequence[str]) -> list[float]:
    """Run macro calls together; faster than :func:`value` where there are many."""
    macros = "".join((DBT / "macros" / name).read_text() for name in MACRO_FILES)
    listed = ", ".join(f"{{{{ {call} }}}}" for call in calls)
    sql = jinja2.Environment(autoescape=False).from_string(macros + listed)
    with duckdb.connect() as connection:
        (row,) = connection.execute(f"select {sql.render(var=variables().__getitem__)}").fetchall()
    return list(row)


@pytest.mark.parametrize("shown", [(0, 20, 30, 60), (5, 25, 15, 20), (25, 30, 5, 95)])
def test_limits_of_rounded_counts_hold_whatever_the_counts(shown: tuple[int, ...]) -> None:
    """All counts that may be behind four rounded ones are tried."""
    part, base, other, other_base = (comparisons.Rounded(count, 4) for count in shown)
    share = comparisons.proportion_of_rounded(part, base)
    gap = comparisons.difference_of_rounded(part, base, other, other_base)
    change = comparisons.ratio_of_rounded(base, other_base)
    assert change is not None

    def behind(count: comparisons.Rounded) -> range:
        return range(int(count.least), int(count.most) + 1)

    pairs = [(x, n) for n in behind(base) for x in behind(part) if x <= n]
    others = [(x, n) for n in behind(other_base) for x in behind(other) if x <= n]
    for one in pairs:
        assert share.lower - 1e-12 <= comparisons.wilson(*one).lower
        assert comparisons.wilson(*one).upper <= share.upper + 1e-12
    for one, two in product(pairs, others):
        true = comparisons.difference(*one, *two)
        assert gap.lower - 1e-12 <= true.lower <= true.upper <= gap.upper + 1e-12
    for count, before in product(behind(base), behind(other_base)):
        true_ratio = comparisons.ratio(count, before)
        assert true_ratio is not None
        assert change.lower - 1e-12 <= true_ratio.lower
        assert true_ratio.upper <= change.upper + 1e-12


def both(limits: comparisons.Limits) -> tuple[float, float]:
    return limits.lower, limits.upper


GRID = [(part, whole) for whole in (1, 2, 7, 50, 1045) for part in {0, 1, whole // 3, whole}]


def test_limits_of_proportions_are_the_same_in_sql_and_in_python() -> None:
    calls = [
        f"proportion_{side}('{part}', '{whole}')"
        for part, whole in GRID
        for side in ("lower", "upper")
    ]
    in_python = [limit for part, whole in GRID for limit in both(comparisons.wilson(part, whole))]
    assert in_one_query(calls) == pytest.approx(in_python, rel=1e-9, abs=1e-12)


def test_limits_of_differences_are_the_same_in_sql_and_in_python() -> None:
    pairs = list(zip(GRID, GRID[3:], strict=False))
    calls = [
        f"difference_{side}('{one[0]}', '{one[1]}', '{other[0]}', '{other[1]}')"
        for one, other in pairs
        for side in ("lower", "upper")
    ]
    in_python = [
        limit for one, other in pairs for limit in both(comparisons.difference(*one, *other))
    ]
    assert in_one_query(calls) == pytest.approx(in_python, rel=1e-9, abs=1e-12)


def test_a_percentage_is_rounded_the_same_in_sql_and_in_python() -> None:
    counted = [(count, base) for base in (1, 3, 8, 40, 200) for count in range(base + 1)]
    macros = "".join((DBT / "macros" / name).read_text() for name in ("percentages.sql",))
    template = jinja2.Environment(autoescape=False).from_string(
        macros + "{{ rounded_percent('part', 'whole') }}"
    )
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select ({template.render()})::integer from (select unnest($1) as part, "
            "unnest($2) as whole)",
            [[count for count, _ in counted], [base for _, base in counted]],
        ).fetchall()
    for (count, base), (percent,) in zip(counted, rows, strict=True):
        assert count in comparisons.counts_behind(percent, base), (count, base, percent)


def test_every_limit_is_of_the_same_confidence() -> None:
    assert variables()["confidence_z"] == comparisons.Z
    assert close(NormalDist().inv_cdf(0.975), comparisons.Z)
    assert {row["confidence"] for row in exact_seed()} == {"0.95"}


def test_the_method_page_states_the_parameters_of_the_models() -> None:
    page = " ".join((DBT.parent / "docs/method.md").read_text().split())
    for parameter, stated in {
        "xmr_limit_factor": "mean ± {} \u00d7 the mean moving range",
        "xmr_screen_factor": "moving ranges above {} times their mean",
        "xmr_min_points": "fewer than {} points has no limits",
        "xmr_run_length": "or {} points in a row on one side",
        "xmr_restart_run_length": "a run of {} or more points",
        "xmr_restart_points": "the mean of the first {} points of a segment",
    }.items():
        assert stated.format(variables()[parameter]) in page, parameter
