"""What the sample's three last quarters say, over every report table and every partnership.

Each test reads tables and texts with code of its own, not with what made them.
"""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import docx
import duckdb
import pytest
from python_calamine import CalamineWorkbook

from orchestration.exports.findings.comparable_periods import BASES
from orchestration.exports.findings.key_findings import findings
from orchestration.exports.report_definition.row_selection import Place
from tests.release_fixtures import exhibits
from tests.support import SAMPLE_QUARTERS, Ground, refresh

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
            for found in findings(table, rows, place):
                yield table, place, found.text


def test_no_finding_compares_what_is_not_like_with_like(reports: dict[str, Rows]) -> None:
    compared = set()
    for table, place, sentence in _sentences(reports):
        labels = re.findall(rf"\({LABEL}\)", sentence)
        if len(labels) < 2:
            continue
        compared.add(table)
        own = [row for row in reports[table] if row["area_code"] == place.code]
        alike = _assert_windows_apart if table.startswith("figure_1") else _assert_years_alike
        # A change on the year, then the one over the longest run.
        for one, other in zip(labels[::2], labels[1::2], strict=True):
            alike(own, one, other)
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


# --- every empty cell is explained


@pytest.fixture(scope="module")
def public(sample: Ground, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a landing zone with street files and lookups only."""
    folder = tmp_path_factory.mktemp("public")
    for source in ("police_uk_street", "area_lookups"):
        shutil.copytree(sample.settings.raw / source, folder / "raw" / source)
    done = refresh(folder / "var", folder / "raw", "2018-10-01")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "var"


@pytest.mark.parametrize("quarter", [*SAMPLE_QUARTERS, "public"])
def test_every_empty_cell_is_explained(request: pytest.FixtureRequest, quarter: str) -> None:
    home = (request.getfixturevalue("public") if quarter == "public"
            else request.getfixturevalue("quarters")[quarter])  # fmt: skip
    declared = _empty_without_marker(home)
    with duckdb.connect(home / "published/csp.duckdb", read_only=True) as release:
        tables = release.execute(
            "select table_schema, table_name from main.published_tables "
            "where table_schema <> 'main'"
        ).fetchall()
        assert len(tables) > 15
        for schema, table in tables:
            meanings = {
                row["column_name"]: row
                for row in _rows(
                    release,
                    "from main.data_dictionary where "
                    f"table_schema = '{schema}' and table_name = '{table}'",
                )
            }
            rows = _rows(release, f"from {schema}.{table}")
            empty = {name for row in rows for name in row
                     if row[name] is None and not _is_explained(row, name)}  # fmt: skip
            for name in empty:
                words = meanings[name]["description"]
                told = name in declared.get(table, set())
                kind = meanings[name]["data_type"]
                assert told or kind in ("VARCHAR", "DATE", "BOOLEAN"), (table, name)
                assert re.search(r"\b[Nn]ull\b|\b[Ee]mpty\b", words), (table, name, words)


def _is_explained(row: Mapping[str, Any], name: str) -> bool:
    statuses = [row.get("status"), row.get(f"{name}_status")]
    if "previous" in name:
        # A hidden count of the wave before is marked in the row's own status.
        hidden = "[c]" if "[c]" in str(row.get("status")) else None
        statuses = [row.get("previous_status"), hidden]
    return any(marker in str(status) for status in statuses for marker in ("[x]", "[z]", "[c]"))


def _empty_without_marker(home: Path) -> dict[str, set[str]]:
    """Return the columns that may be empty without a marker, by table.

    Those that say so, and what rounding leaves out: limits and comparisons of few people.
    """
    manifest = json.loads((home / "dbt/target/manifest.json").read_text(encoding="utf-8"))
    found = {}
    for node in manifest["nodes"].values():
        meta = node["config"].get("meta", {}).get("csp", {})
        found[node["name"]] = set(meta.get("empty_without_marker", ()))
        for name in found[node["name"]]:
            assert "null" in node["columns"][name]["description"], (node["name"], name)
        if "disclosure" in meta:
            found[node["name"]] |= _left_out_by_rounding(meta["disclosure"])
    return found


def _left_out_by_rounding(disclosure: Mapping[str, Any]) -> set[str]:
    limits = [(one.get("lower"), one.get("upper")) for one in disclosure.get("proportions", ())]
    compared = disclosure.get("comparison", {})
    names = {name for pair in limits for name in pair}
    names |= {name for end, name in compared.items() if end not in ("of", "base")}
    names |= {name for one in disclosure["counts"] for name in one.get("follows", ())}
    return (names | set(disclosure.get("emptied", ()))) - {None}


def test_deliveries_are_named_once_and_in_order(quarters: Mapping[str, Path]) -> None:
    for home in quarters.values():
        with duckdb.connect(home / "warehouse.duckdb", read_only=True) as warehouse:
            tables = warehouse.execute(
                "select schema_name, table_name from duckdb_columns() where column_name = "
                "'deliveries' and schema_name in ('marts', 'reports')"
            ).fetchall()
            assert len(tables) > 20
            for schema, table in tables:
                for (text,) in warehouse.execute(
                    f"select distinct deliveries from {schema}.{table} where deliveries is not null"
                ).fetchall():
                    names = text.split("; ")
                    assert names == sorted(set(names)), (table, text)


def test_an_exhibit_that_shows_nothing_says_why(public: Path) -> None:
    folder = public / "exports/2018-10-01/fenland"
    page = (folder / "pack.html").read_text(encoding="utf-8")
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    reasons = {one["label"]: one["reason"] for one in package["absent"]}
    shown = {
        "Scanning", "Priorities", "Outlook", "Outcomes", "Crime map", "Hot spots", "Deprivation",
        "Figure 10", "Figure 11",
    }  # fmt: skip
    assert reasons.keys() == {exhibit.label for exhibit in exhibits()} - shown
    document = " ".join(part.text for part in docx.Document(str(folder / "pack.docx")).paragraphs)
    book = CalamineWorkbook.from_path(str(folder / "workbook.xlsx"))
    sheet = book.get_sheet_by_index(0).to_python()
    cover = " ".join(str(cell) for row in sheet for cell in row if cell)
    for label, reason in reasons.items():
        assert f"{label}: {reason}." in page
        assert f"{label}: {reason}." in document
        assert f"{label} ({reason})" in cover
