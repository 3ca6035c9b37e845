"""Similar areas: which they are, and the official count against theirs, computed a second time."""

import csv
import math
from collections import defaultdict
from pathlib import Path
from statistics import fmean, median
from typing import Any

import duckdb
import numpy as np
import pytest

from orchestration.config.partnerships import load_partnerships
from orchestration.config.settings import PROJECT
from orchestration.errors import SettingsError
from orchestration.exports.charts.funnel_chart import FunnelPoint, funnel_figure, funnel_words
from orchestration.exports.findings.key_findings import findings
from orchestration.exports.report_definition.row_selection import Place
from tests.support import Ground

SOURCES = PROJECT / "orchestration" / "ingest" / "sources"
FENLAND = Place("E07000010", "Fenland", "E23000023", "Cambridgeshire and Peterborough")


def facts(path: str) -> list[dict[str, str]]:
    with (SOURCES / path).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def characteristics() -> dict[str, dict[str, float]]:
    """Compute what each district of the sample's files is like, from their facts alone."""
    people: dict[str, dict[int, int]] = defaultdict(dict)
    extent = {}
    for row in facts("population_estimates/sample_ons_mid_year.csv"):
        if row["geography"] in ("Unitary Authority", "Non-metropolitan District"):
            people[row["area_code"]][int(row["mid_year"])] = int(row["population"])
            extent[row["area_code"]] = float(row["area_sq_km"])
    homes = {
        row["ons_code"]: row
        for row in facts("dwelling_stock/sample_live_table_100.csv")
        if row["year"] == "2017"
    }
    made = {}
    for code, counts in people.items():
        stock, now = homes[code], counts[2017]
        social = ("local_authority", "registered_provider", "other_public_sector")
        made[code] = {
            "population": now,
            "people_per_sq_km": now / extent[code],
            "population_change": 100 * (now / counts[2007] - 1),
            "social_rent": 100 * sum(float(stock[name]) for name in social) / float(stock["total"]),
            "people_per_dwelling": now / float(stock["total"]),
        }
    return made


def test_characteristics_are_those_of_the_files(sample: Ground) -> None:
    made: dict[str, dict[str, float]] = defaultdict(dict)
    for code, name, figure in sample.query(
        "select measured_code, characteristic, figure from marts.characteristics_of_areas"
    ):
        made[code][name] = figure
    expected = characteristics()
    assert made.keys() == expected.keys() and len(made) == 22
    for code, figures in expected.items():
        assert made[code] == pytest.approx(figures), code


def test_similar_areas_are_the_nearest_by_all_characteristics(sample: Ground) -> None:
    known = characteristics()
    codes = sorted(known)
    table = np.array([list(known[code].values()) for code in codes])
    table[:, :2] = np.log(table[:, :2])
    scores = (table - table.mean(axis=0)) / table.std(axis=0)
    made: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for code, similar, distance in sample.query(
        "select area_code, similar_code, distance from marts.similar_areas order by all"
    ):
        made[code].append((similar, distance))
    assert len(made) == 6
    for code, found in made.items():
        away = np.sqrt(((scores - scores[codes.index(code)]) ** 2).mean(axis=1))
        nearest = sorted((away[place], other) for place, other in enumerate(codes) if other != code)
        expected = sorted((other, distance) for distance, other in nearest[:14])
        assert [similar for similar, _ in found] == [similar for similar, _ in expected]
        assert [one for _, one in found] == pytest.approx([one for _, one in expected])


def _group(sample: Ground, area: str, group: str) -> list[tuple[bool, int, int]]:
    """Return the counts and populations of an area and of those similar to it."""
    return [
        (own, offences, population)
        for own, offences, population in sample.query(
            f"""
            with members as (
                select similar_code as code, false as own from marts.similar_areas
                where area_code = '{area}'
                union all select '{area}', true
            )
            select own, offences, population from members
            inner join marts.recorded_crime_by_csp on code = gss_code
            where recorded_offence_group = '{group}' and period_type = 'twelve_months'
                and place_level = 'partnership'
                and period_end = (select max(period_end) from marts.recorded_crime_by_csp)
            """
        )
    ]


@pytest.mark.parametrize("group", ["All offences", "Theft offences", "Robbery"])
@pytest.mark.parametrize("area", ["E07000010", "E07000008", "E06000031"])
def test_rank_and_funnel_limits_are_computed_a_second_time(
    sample: Ground, area: str, group: str
) -> None:
    members = _group(sample, area, group)
    assert len(members) == 15
    ((_, own_count, own_people),) = [one for one in members if one[0]]
    others = [(count, people) for own, count, people in members if not own]
    rate = sum(count for _, count, _ in members) / sum(people for _, _, people in members)
    away = [(count / people - rate) / math.sqrt(rate / people) for _, count, people in members]
    low, high = np.quantile(away, [0.1, 0.9])
    dispersion = max(1.0, float(np.mean(np.clip(away, low, high) ** 2)))
    step = 3.090232306167813 * math.sqrt(dispersion * rate / own_people)
    (found,) = sample.query(
        "select similar_rate_per_1000, similar_median, rate_rank, areas_compared, dispersion, "
        "funnel_limit_lower, funnel_limit_upper, rate_per_1000, compared_with_similar "
        "from marts.crime_against_similar_areas "
        f"where area_code = '{area}' and recorded_offence_group = '{group}' "
        "order by period_end desc limit 1"
    )
    own_rate = 1000 * own_count / own_people
    expected = [
        1000 * sum(count for count, _ in others) / sum(people for _, people in others),
        median(1000 * count / people for count, people in others),
        1 + sum(1000 * count / people > own_rate for count, people in others),
        14,
        dispersion,
        max(0.0, 1000 * (rate - step)),
        1000 * (rate + step),
        own_rate,
    ]
    assert list(found[:-1]) == pytest.approx(expected)
    outside = "higher" if own_rate > expected[6] else "lower" if own_rate < expected[5] else None
    assert found[-1] == (outside or "not clear")


def test_limits_hold_what_they_should_of_areas_that_do_not_differ() -> None:
    """Drawn areas of one rate: about one of five hundred lies outside the outer limits."""
    drawn = np.random.default_rng(11)
    outside = 0
    for _ in range(2_000):
        people = drawn.integers(60_000, 250_000, 15)
        counts = drawn.poisson(0.06 * people)
        rate = counts.sum() / people.sum()
        away = (counts / people - rate) / np.sqrt(rate / people)
        spread = max(1.0, float(np.mean(np.clip(away, *np.quantile(away, [0.1, 0.9])) ** 2)))
        outside += int((abs(away) > 3.090232 * math.sqrt(spread)).sum())
    assert outside / 30_000 < 0.003


def test_places_that_chance_allows_hold_the_rank(sample: Ground) -> None:
    rows = sample.query(
        "select highest_rank, rate_rank, lowest_rank, areas_compared "
        "from marts.crime_against_similar_areas"
    )
    assert rows
    assert all(1 <= low <= rank <= high <= areas + 1 for low, rank, high, areas in rows)
    assert any(low < high for low, _, high, _ in rows)


# --- the partnerships file -------------------------------------------------------------------


def _listed(tmp_path: Path, listed: str) -> list[tuple[Any, ...]]:
    text = (PROJECT / "orchestration" / "config" / "partnerships.toml").read_text(encoding="utf-8")
    line = 'district_name = "Fenland"'
    assert line in text
    path = tmp_path / "partnerships.toml"
    path.write_text(text.replace(line, f"{line}\nsimilar_districts = {listed}"), encoding="utf-8")
    schema = PROJECT / "orchestration" / "warehouse" / "control_schema.sql"
    with duckdb.connect() as connection:
        connection.execute("create schema if not exists control")
        connection.execute(schema.read_text(encoding="utf-8"))
        load_partnerships(connection, path)
        return connection.execute(
            "from control.partnership_similar_districts order by list_position"
        ).fetchall()


def test_a_list_of_similar_districts_keeps_its_order(tmp_path: Path) -> None:
    assert _listed(tmp_path, '["E07000141", "E07000140"]') == [
        ("E07000010", "E07000141", 1),
        ("E07000010", "E07000140", 2),
    ]


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ('["E07000141", "E07000141"]', "similar_districts of 'fenland' has E07000141 twice"),
        ('["E07000010"]', "has its own district E07000010. Remove it"),
        ('["South Holland"]', "must be a list of districts, each by its GSS code"),
        ('"E07000141"', "must be a list of districts"),
        ('["E10000003"]', "a county or a part of London"),
    ],
)
def test_a_wrong_list_is_refused(tmp_path: Path, listed: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        _listed(tmp_path, listed)
    assert said in str(refused.value)


# --- finding and chart -----------------------------------------------------------------------


def _row(order: int, group: str, rate: float, verdict: str | None) -> dict[str, object]:
    return {
        "area_code": FENLAND.code, "row_order": order, "recorded_offence_group": group,
        "period_label": "Twelve months to June 2018", "offences": 1458, "rate_per_1000": rate,
        "similar_rate_per_1000": 13.7, "areas_compared": 14, "funnel_limit_lower": 2.0,
        "funnel_limit_upper": 25.0, "compared_with_similar": verdict,
    }  # fmt: skip


def test_the_finding_names_what_lies_outside_the_limits() -> None:
    rows = [
        _row(1, "All offences", 14.5, "not clear"),
        _row(2, "Theft offences", 30.0, "higher"),
        _row(3, "Robbery", 1.0, "lower"),
    ]
    (found,) = findings("page_against_similar_areas", rows, FENLAND)
    assert found.text == (
        "The official count has 1,458 offences in Fenland in the twelve months to June 2018: "
        "14.5 per 1,000 people, against 13.7 in 14 similar areas together. Above what is usual "
        "among them: theft offences. Below what is usual among them: robbery."
    )
    assert found.strength == "claim"
    assert found.size == pytest.approx(math.log(2))
    (usual,) = findings("page_against_similar_areas", rows[:1], FENLAND)
    assert usual.strength == "comparison" and "No offence group lies outside" in usual.text
    (plain,) = findings(
        "page_against_similar_areas", [_row(1, "All offences", 14.5, None)], FENLAND
    )
    assert plain.text.endswith("similar areas together.")
    unknown = {**rows[0], "similar_rate_per_1000": None}
    assert findings("page_against_similar_areas", [unknown], FENLAND) == []


def test_the_funnel_plot_draws_every_area_and_names_those_outside() -> None:
    points = [
        FunnelPoint(
            f"Area {place}", 60_000 + 9_000 * place, 8.0 + place, place == 3, (6, 20), (4, 17)
        )
        for place in range(12)
    ]
    centre = fmean(one.rate for one in points)
    words = funnel_words(points, centre, "funnel", "Similar areas", "Crime", "Rates", [], True)
    assert "Area 3 11.0, population 87,000." in words.alt
    assert "Above the outer limits: Area 10, Area 11." in words.alt
    assert words.alt.endswith("The data are synthetic.")
    (axes,) = funnel_figure(points, centre, words).axes
    drawn = [line for line in axes.lines if line.get_gid() == "area"]
    across = sorted(float(np.asarray(line.get_xdata())[0]) for line in drawn)
    assert across == [one.population for one in points]
    named = [text.get_text() for text in axes.texts]
    assert {"Area 3", "Area 10", "Area 11"} <= set(named)
    assert len(named) == len(set(named))
