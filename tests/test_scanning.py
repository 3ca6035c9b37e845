"""Scanning of all crime types: its statistics against SciPy, and its rows computed again."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import jinja2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from orchestration.disclosure.confidence_limits import ratio
from orchestration.exports.report_definition.table_layout import blocks, is_blocks
from tests.support import Ground
from tests.test_statistics import DBT, variables

MACROS = ("rates.sql", "proportions.sql", "scanning.sql")
TESTED_MODEL = DBT / "models/intermediate/crime/int_crime_scanning__tested.sql"
TYPES, MONTHS = 15, 24


def rendered(sql: str) -> str:
    macros = "".join((DBT / "macros" / name).read_text() for name in MACROS)
    template = jinja2.Environment(autoescape=False).from_string(macros + sql)
    return template.render(ref=lambda name: f"input_{name}", var=variables().__getitem__)


def value(call: str) -> Any:
    """Run one macro call on its own."""
    with duckdb.connect() as connection:
        (row,) = connection.execute(f"select {rendered('{{ ' + call + ' }}')}").fetchall()
    return row[0]


@pytest.mark.parametrize("z", [0, 0.3, -1, 1.96, -2.5758, 4, -8, 40])
def test_p_values_are_those_of_the_normal_distribution(z: float) -> None:
    assert value(f"two_sided_p('({z})')") == pytest.approx(2 * stats.norm.sf(abs(z)), abs=1.5e-7)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjusted_p_values_are_those_of_benjamini_and_hochberg(values: list[float]) -> None:
    frame = pd.DataFrame({"p": sorted(values)})
    frame["position"], frame["family"] = range(1, len(values) + 1), "A"
    call = rendered(f"{{{{ adjusted_p('p', 'position', '{len(values)}', 'family') }}}}")
    with duckdb.connect() as connection:
        rows = connection.execute(f"select {call} from frame order by position").fetchall()
    assert [found for (found,) in rows] == pytest.approx(
        stats.false_discovery_control(frame["p"], method="bh").tolist()
    )


@pytest.mark.parametrize(("count", "other"), [(10, 20), (0, 5), (700, 500), (3, 1)])
def test_limits_of_chance_counts_are_those_of_the_findings(count: int, other: int) -> None:
    limits = ratio(count, other)
    assert limits
    assert value(f"ratio_lower('{count}', '{other}', '1')") == pytest.approx(limits.lower)
    assert value(f"ratio_upper('{count}', '{other}', '1')") == pytest.approx(limits.upper)


def test_a_greater_dispersion_widens_limits_and_no_count_before_has_no_upper_limit() -> None:
    assert value("ratio_lower('70', '50', '3')") < value("ratio_lower('70', '50', '1')")
    assert value("ratio_upper('70', '50', '3')") > value("ratio_upper('70', '50', '1')")
    assert value("ratio_upper('7', '0', '1')") is None


@pytest.mark.parametrize(
    ("compared", "lower", "upper", "points"),
    [
        ("'similar'", 0.8, 1.3, 50),
        ("'higher'", 2.0, 3.0, 100),
        ("'higher'", 9.0, 12.0, 100),
        ("'higher'", 2**0.5, 3.0, 75),
        ("'lower'", 0.1, 0.5, 0),
        ("'lower'", 0.0, 0.2, 0),
        ("'lower'", 0.5, 2**-0.5, 25),
        ("null", 0.5, 0.7, None),
    ],
)
def test_points_of_a_ratio(compared: str, lower: float, upper: float, points: float | None) -> None:
    found = value(f'points_of_ratio("{compared}", {lower}, {upper})')
    assert found == (points if points is None else pytest.approx(points))


def test_two_years_as_blocks() -> None:
    assert value("listed_counts('[0, 7, null, 14, 1]')") == "0, 7, [x], 14, 1"
    assert blocks("0, 7, [x], 14, 1") == "▁▅·█▁"
    assert (blocks("0, 0"), blocks("[x]")) == ("▁▁", "·")
    assert is_blocks("▁·█") and not is_blocks("none") and not is_blocks("")


@pytest.mark.parametrize("dispersion", [1, 4])
def test_where_nothing_differs_hardly_any_area_has_a_signal(dispersion: float) -> None:
    """Of areas in which nothing changes, no more than about 5 % have a single false signal.

    3,000 areas, three questions each: 95 % limits of a share of 5 % reach to 5.8 %.
    """
    random, areas = np.random.default_rng(20180401), 3000
    mean = random.choice([10, 40, 150], size=(areas, TYPES))
    drawn = _months(random, mean, MONTHS, dispersion)
    others = _months(random, mean * 5, 12, dispersion).sum(axis=-1)
    counted = pd.DataFrame(
        {
            "area_code": np.repeat([f"A{number}" for number in range(areas)], TYPES),
            "crime_type": np.tile([f"T{number}" for number in range(TYPES)], areas),
            "offences": drawn[..., 12:].sum(axis=-1).ravel(),
            "offences_year_before": drawn[..., :12].sum(axis=-1).ravel(),
            "rest_offences": others.ravel(),
            "population": 1000,
            "rest_population": 5000,
            "dispersion": float(dispersion),
            "last_month_offences": drawn[..., -1].ravel(),
            "last_month_centre": mean.ravel().astype(float),
            "last_month_deviation": np.sqrt(dispersion * mean).ravel(),
        }
    )
    with duckdb.connect() as connection:
        connection.register("input_int_crime_scanning__counted", counted)
        rows = connection.execute(
            "select question, count(distinct area_code) filter (where compared <> 'similar') "
            f"from ({rendered(TESTED_MODEL.read_text())}) group by question"
        ).fetchall()
    shares = {question: signalled / areas for question, signalled in rows}
    assert shares.keys() == {"change", "rest", "month"}
    # A month of few offences has a longer upper tail than the normal distribution.
    allowed = {"change": 0.058, "rest": 0.058, "month": 0.12}
    assert {name for name, share in shares.items() if share > allowed[name]} == set(), shares


def _months(
    random: np.random.Generator, mean: np.ndarray, months: int, dispersion: float
) -> np.ndarray:
    """Draw counts with a mean, whose variance is so many times as great."""
    shape = (*mean.shape, months)
    means = np.broadcast_to(mean[..., None], shape)
    if dispersion == 1:
        return random.poisson(means)
    return random.negative_binomial(means / (dispersion - 1), 1 / dispersion, size=shape)


def test_the_sample_is_scanned_as_computed_from_its_trends(sample: Ground) -> None:
    """Every row, with pandas and SciPy, from the months of ``crime_trends`` alone."""
    with duckdb.connect(sample.settings.warehouse, read_only=True) as connection:
        months = connection.execute(
            "select area_code, area_type, crime_type, period_start as month, offences, population, "
            "xmr_centre, xmr_moving_range_mean from marts.crime_trends where period_type = 'month'"
        ).df()
        found = connection.execute("from marts.crime_scanning").df()
    last = pd.Timestamp(months.loc[months["offences"].notna(), "month"].max())
    computed = _scanned(months, last)
    assert len(found) == len(computed) > 100
    assert set(found["period_end"].dt.date) == {(last + pd.offsets.MonthEnd(0)).date()}
    wrong = [
        f"{row['area_code']} {row['crime_type']} {name}: {row[name]!r}, computed {wanted!r}"
        for row in found.to_dict("records")
        for name, wanted in computed[row["area_code"], row["crime_type"]].items()
        if not _same(row[name], wanted)
    ]
    assert wrong == []


def _same(found: object, wanted: object) -> bool:
    if wanted is None or pd.isna(wanted):  # type: ignore[call-overload]
        return bool(pd.isna(found))  # type: ignore[call-overload]
    return found == (wanted if isinstance(wanted, str) else pytest.approx(wanted, abs=1e-6))


Rows = dict[tuple[str, str], dict[str, Any]]


def _scanned(months: pd.DataFrame, last: pd.Timestamp) -> Rows:
    """Scan districts and the force of one force; the types of today only."""
    before, rows = last - pd.DateOffset(years=1), Rows()
    for (area, crime_type), series in months.groupby(["area_code", "crime_type"]):
        by_month = series.set_index("month").sort_index()
        if last not in by_month.index:
            continue
        latest, limited = by_month.loc[last], by_month.dropna(subset="xmr_centre").iloc[-1]
        deviation = limited["xmr_moving_range_mean"] * 2.66 / 3
        rows[str(area), str(crime_type)] = {
            "offences": by_month["offences"][last - pd.DateOffset(months=11):].sum(),
            "offences_year_before":
                by_month["offences"][before - pd.DateOffset(months=11):before].sum(),
            "population": latest["population"],
            "dispersion": max(1.0, deviation**2 / limited["xmr_centre"])
            if limited["xmr_centre"] else 1.0,
            "month": (latest["offences"] - latest["xmr_centre"]) / (
                latest["xmr_moving_range_mean"] * 2.66 / 3)
            if latest["xmr_centre"] >= 5 else None,
            "kind": series["area_type"].iloc[0],
        }  # fmt: skip
    for area in {area for area, _ in rows}:
        _test(area, {name: row for (one, name), row in rows.items() if one == area}, rows)
    return {
        key: {name: cell for name, cell in row.items() if name not in ("month", "kind")}
        for key, row in rows.items()
    }


def _test(area: str, types: Mapping[str, dict[str, Any]], rows: Rows) -> None:
    deviates: dict[str, dict[str, float]] = {"change": {}, "rest": {}, "month": {}}
    for name, row in types.items():
        now, then, spread = row["offences"], row["offences_year_before"], row["dispersion"]
        row["change_percent"] = 100 * (now - then) / then if then else None
        if now + then:
            deviates["change"][name] = (now - then) / np.sqrt(spread * (now + then))
        others = [row for (other, crime_type), row in rows.items()
                  if crime_type == name and other != area
                  and row["kind"] == "district"]  # fmt: skip
        row["rest_offences"] = row["rest_population"] = None
        if row["kind"] != "force":
            rest = row["rest_offences"] = sum(other["offences"] for other in others)
            people = row["rest_population"] = sum(other["population"] for other in others)
            share = row["population"] / (row["population"] + people)
            if now + rest:
                expected = (now + rest) * share
                deviates["rest"][name] = (now - expected) / np.sqrt(
                    spread * (now + rest) * share * (1 - share)
                )
        if row["month"] is not None:
            deviates["month"][name] = row["month"]
    words = {"change": "compared_with_year_before", "rest": "compared_with_rest"}
    for question, column in words.items():
        for name, verdict in _verdicts(deviates[question]).items():
            types[name][column] = verdict
    signals = {"higher": "above limit", "lower": "below limit", "similar": "none"}
    for name, verdict in _verdicts(deviates["month"]).items():
        outside = abs(deviates["month"][name]) > 3
        types[name]["last_month_signal"] = signals[verdict] if outside else "none"


def _verdicts(deviates: Mapping[str, float]) -> dict[str, str]:
    if not deviates:
        return {}
    adjusted: Sequence[float] = stats.false_discovery_control(
        [2 * stats.norm.sf(abs(one)) for one in deviates.values()], method="bh"
    )
    return {
        name: "similar" if p > 0.05 else ("higher" if deviate > 0 else "lower")
        for (name, deviate), p in zip(deviates.items(), adjusted, strict=True)
    }
