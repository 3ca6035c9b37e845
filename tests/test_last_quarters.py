"""What the sample's three last quarters say, over every report table and every partnership.

Each test reads tables and texts with code of its own, not with what made them.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.exports.comparable import BASES
from orchestration.exports.findings import Place, findings
from tests.support import SAMPLE_QUARTERS

pytestmark = pytest.mark.slow

FORCE = ("E23000023", "Cambridgeshire and Peterborough")
LABEL = r"(\d{4}(?:/\d\d)?|twelve months to [A-Z][a-z]+ \d{4})"

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module", params=SAMPLE_QUARTERS)
def reports(request: pytest.FixtureRequest, quarters: Mapping[str, Path]) -> dict[str, Rows]:
    """Every report table of a quarter, published or not."""
    with duckdb.connect(quarters[request.param] / "warehouse.duckdb", read_only=True) as warehouse:
        names = warehouse.execute(
            "select table_name from duckdb_tables() where schema_name = 'reports'"
        ).fetchall()
        return {name: _rows(warehouse, f"from reports.{name}") for (name,) in names}


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> Rows:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _places(reports: Mapping[str, Rows]) -> Iterator[Place]:
    named = {
        (row["area_code"], row["area_name"])
        for row in reports["table_1_offender_rates"]
        if row["area_code"] != FORCE[0]
    }
    assert len(named) == 6
    return (Place(code, name, *FORCE) for code, name in sorted(named))


def _sentences(reports: Mapping[str, Rows]) -> Iterator[tuple[str, Place, str]]:
    for place in _places(reports):
        for table, rows in reports.items():
            for sentence in findings(table, rows, place):
                yield table, place, sentence


def test_no_finding_compares_what_is_not_like_with_like(reports: dict[str, Rows]) -> None:
    compared = set()
    for table, place, sentence in _sentences(reports):
        labels = re.findall(rf"\({LABEL}\)", sentence)
        if len(labels) < 2:
            continue
        compared.add(table)
        own = [row for row in reports[table] if row["area_code"] == place.code]
        if table.startswith("figure_1"):
            _assert_windows_apart(own, *labels)
        else:
            _assert_years_alike(own, *labels)
    # Whoever adds a comparison over time declares its basis.
    assert compared <= BASES.keys() and {"figure_10_shoplifting"} < compared


def _assert_years_alike(rows: Rows, *labels: str) -> None:
    (first,), (second,) = ([row for row in rows if row["period_label"] == one] for one in labels)
    one, other = sorted((first, second), key=lambda row: row["period_start"])
    for column in ("period_type", "population_estimator"):
        assert one.get(column) == other.get(column), labels
    sources = [{part.split()[0] for part in row["deliveries"].split("; ")} for row in (one, other)]
    assert sources[0] == sources[1], labels
    assert one["period_end"] < other["period_start"], labels
    between = [row for row in rows if one["period_start"] < row["period_start"]
               <= other["period_start"] and row["period_type"] == one["period_type"]]  # fmt: skip
    assert not any("[b]" in str(row["status"]) for row in between), labels


def _assert_windows_apart(rows: Rows, *labels: str) -> None:
    by_label = {f"twelve months to {row['month_label']}": row["month"] for row in rows}
    first, last = sorted(by_label[label] for label in labels)
    assert first <= last.replace(year=last.year - 1), labels
    start = date(first.year - 1 + first.month // 12, first.month % 12 + 1, 1)
    breaks = [row for row in rows if start < row["month"] <= last and "[b]" in str(row["status"])]
    assert not breaks, labels


def test_tables_of_a_survey_compare_a_wave_with_the_wave_before(reports: dict[str, Rows]) -> None:
    for table in ("table_7_feel_safe", "table_8_crime_asb_problem"):
        waves = {(row["area_code"], row["period_start"]): row for row in reports[table]}
        compared = 0
        for (area, start), row in waves.items():
            months = start.year * 12 + start.month - 4
            before = waves.get((area, date(months // 12, months % 12 + 1, 1)))
            assert row["previous_base"] == (before["base"] if before else None)
            compared += before is not None
        assert compared
