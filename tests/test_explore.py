"""``explore.html``: its figures are the published ones, and it can be operated in a browser."""

import csv
import io
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.exports import export_partnership
from orchestration.exports.explore.explore_data import explore_areas, partnership_rows
from orchestration.exports.explore.explore_page import PageWords, explore_html
from orchestration.exports.explore.plain_table import plain_table
from orchestration.exports.explore.subjects import Subject, load_subjects, subject_metrics
from orchestration.exports.report_definition.row_selection import (
    Partnership,
    TableRef,
    fetch,
)
from orchestration.publish import declared_metrics
from orchestration.publish.metrics import METRICS
from tests.release_fixtures import manifest
from tests.support import Ground
from tests.test_pack import made_release

BROWSER = Path(__file__).parent / "browser"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FENLAND, FORCE = "E07000010", "E23000023"
needs_browser = pytest.mark.skipif(
    not (CHROMIUM and shutil.which("node") and (BROWSER / "node_modules").is_dir()),
    reason="needs chromium, node, and `npm ci` in tests/browser",
)


@pytest.fixture(scope="module")
def published(sample: Ground, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(made_release(sample, tmp_path_factory.mktemp("explore") / "csp.duckdb"))


@pytest.fixture(scope="module")
def page(published: Path) -> Path:
    export_partnership(published, published.parent / "fenland", "fenland")
    return published.parent / "fenland" / "explore.html"


def _content(page: Path) -> Any:
    found = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', page.read_text("utf-8"), re.S
    )
    assert found
    return json.loads(found[1])


def _decoded(columns: dict[str, Any]) -> Iterator[dict[str, Any]]:
    lists = {
        name: [one["values"][place] for place in one["places"]] if isinstance(one, dict) else one
        for name, one in columns.items()
    }
    for at in range(len(next(iter(lists.values())))):
        yield {name: values[at] for name, values in lists.items()}


def _query(published: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(published, read_only=True) as connection:
        return connection.execute(sql).fetchall()


def _subjects(published: Path) -> tuple[Subject, ...]:
    with duckdb.connect(published, read_only=True) as connection:
        return load_subjects(fetch(connection, "from main.metrics"))


def _same(shown: float | None, value: float | None) -> bool:
    """Say whether a figure of the page is the published one, to six significant digits."""
    if shown is None or value is None:
        return shown is value
    return shown == pytest.approx(value, rel=6e-6)


def test_every_subject_is_a_published_table_with_its_columns(published: Path) -> None:
    for subject in _subjects(published):
        columns = {
            name for (name,) in _query(
                published,
                "select column_name from main.data_dictionary where table_schema = 'marts' "
                f"and table_name = '{subject.table}'",
            )
        }  # fmt: skip
        assert {*subject.columns, *subject.only, *subject.order} <= columns, subject.name


def test_a_subject_draws_metrics_of_one_table(published: Path) -> None:
    tables = dict(_query(published, "select metric_name, table_name from main.metrics"))
    for name, metrics in subject_metrics().items():
        assert len({tables[metric] for metric in metrics}) == 1, name


def test_every_figure_on_the_page_is_the_published_one(published: Path, page: Path) -> None:
    content = _content(page)
    offered = {area["code"]: area for area in content["areas"]}
    assert len(content["subjects"]) == len(_subjects(published)) == len(subject_metrics())
    for subject, told in zip(_subjects(published), content["subjects"], strict=True):
        assert told["name"] == subject.name
        keys = ["area_code", subject.start, *([subject.kind] if subject.kind else [])]
        keys += [choice.column for choice in subject.choices]
        drawn = [one for measure in subject.measures
                 for one in (measure.column, measure.lower, measure.upper) if one]  # fmt: skip
        only = [f"{name} = '{value}'" for name, value in subject.only.items()]
        where = " and ".join(only) or "true"
        rows = _query(
            published,
            f"select {', '.join(f'{key}::varchar' for key in keys)}, coalesce(status, ''), "
            f"{', '.join(drawn)} from marts.{subject.table} where {where}",
        )
        by_key = {row[: len(keys)]: row[len(keys) :] for row in rows}
        shown = list(_decoded(told["columns"]))
        assert {row["area_code"] for row in shown} <= offered.keys()
        for row in shown:
            status, *values = by_key[tuple(row[key] for key in keys)]
            assert row["status"] == status
            for name, value in zip(drawn, values, strict=True):
                assert _same(row[name], value), (subject.name, row, name, value)
        own = [key for key in by_key if key[0].split(":")[0] == FENLAND]
        assert sum(row["area_code"].split(":")[0] == FENLAND for row in shown) == len(own)


def test_areas_are_its_own_and_those_of_its_force(page: Path) -> None:
    areas = {area["code"]: area for area in _content(page)["areas"]}
    assert [code for code, area in areas.items() if area["chosen"]] == [FENLAND, FORCE]
    own = [code for code, area in areas.items() if area["own"]]
    assert own[0] == FENLAND
    assert all(code.split(":")[0] == FENLAND for code in own)
    assert len(own) > 1, "its towns"
    others = {area["type"] for area in areas.values() if not area["own"]}
    assert "town" not in others, "towns of other partnerships"
    assert {"district", "force"} <= others


def test_parts_of_other_districts_are_left_out() -> None:
    codes = ("A", "A:town", "B", "B:town", "F", "F:outside", "G")
    table = TableRef(
        "marts", "counts", "Counts", "", "", ("area_code",),
        tuple((name, "VARCHAR") for name in ("area_code", "area_name", "area_type", "csp")), {},
    )  # fmt: skip
    whose = Partnership("a", "A", ("A",), ("F",), ("A", "B", "F"), frozenset({"A", "B"}))
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.counts as select unnest($codes) as area_code, area_code as "
            "area_name, 'district' as area_type, 'a' as csp",
            {"codes": list(codes)},
        )
        rows = fetch(connection, partnership_rows(table, whose))
    assert {row["area_code"] for row in rows} == {"A", "A:town", "B", "F", "F:outside"}


def test_a_town_and_a_district_of_one_name_are_told_apart() -> None:
    """One line would be drawn through both."""
    whose = Partnership("a", "A", ("A",), ("F",), ("A", "F"), frozenset({"A"}))
    columns = {
        "survey_perceptions": ("area_code", "area_name", "area_type", "csp"),
        "dim_area": ("area_code", "area_name", "area_type", "csp", "area_label"),
    }
    tables = [
        TableRef("marts", name, name, "", "", ("area_code",),
                 tuple((column, "VARCHAR") for column in names), {})
        for name, names in columns.items()
    ]  # fmt: skip
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.dim_area as from (values ('A', 'Ely', 'district', 'a', 'Ely'), "
            "('A:ely', 'Ely', 'town', 'a', 'Ely (town)')) as t "
            "(area_code, area_name, area_type, csp, area_label)"
        )
        connection.execute(
            "create table marts.survey_perceptions as "
            "select * exclude (area_label) from marts.dim_area"
        )
        kinds = ", ".join(f"{column.name} {column.data_type}" for column in METRICS.columns)
        connection.execute(f"create table main.metrics ({kinds})")
        marks = ", ".join("?" * len(METRICS.columns))
        for metric in declared_metrics(manifest()):
            connection.execute(f"insert into main.metrics values ({marks})", metric.row)
        labelled = explore_areas(connection, tables, whose)
        earlier = explore_areas(connection, tables[:1], whose)
    assert [area["name"] for area in labelled] == ["Ely", "Ely (town)"]
    assert [area["name"] for area in earlier] == ["Ely", "Ely"]


def test_page_needs_no_network_and_says_what_it_is(published: Path, page: Path) -> None:
    text = page.read_text("utf-8")
    outside_scripts = re.sub(r"<script.*?</script>", "", text, flags=re.S)
    assert not re.search(r"(?:src|href)=.?(?:https?:)?//", outside_scripts)
    assert outside_scripts.count("Synthetic data") == 1
    assert "Grain" not in text.partition('id="data"')[2].partition("</script>")[0]
    assert page.stat().st_size < 4_000_000
    again = page.read_bytes()
    export_partnership(published, page.parent, "fenland", force=True)
    assert page.read_bytes() == again


HOSTILE = "</script><img src=x onerror=alert(1)>&<!--"


def test_texts_of_the_data_stay_texts() -> None:
    subject = {
        "name": "crime",
        "title": HOSTILE,
        "choices": [{"column": "crime_type", "label": "Crime type", "first": HOSTILE}],
        "measures": [{"column": "offences", "label": HOSTILE, "decimals": 0, "share": False}],
        "start": "period_start",
        "label": "period_label",
        "kind": "period_type",
        "columns": {
            "area_code": ["A"],
            "crime_type": [HOSTILE],
            "period_type": ["month"],
            "period_start": ["2018-04-01"],
            "period_label": [HOSTILE],
            "offences": [3],
            "status": [""],
        },
    }
    areas = [{"code": "A", "name": HOSTILE, "own": True, "chosen": True}]
    made = explore_html(
        PageWords(HOSTILE, (HOSTILE,), HOSTILE, HOSTILE),
        ["#000000"],
        {"subjects": [subject], "areas": areas, "map": None},
    ).decode()
    outside_scripts = re.sub(r"<script.*?</script>", "", made, flags=re.S)
    assert "<img" not in outside_scripts
    assert "<script" not in outside_scripts
    assert made.count("</script>") == 3
    page = re.search(r'id="data">(.*?)</script>', made, re.S)
    assert page
    assert json.loads(page[1])["areas"][0]["name"] == HOSTILE


def test_page_without_figures_says_so() -> None:
    made = explore_html(
        PageWords("Nowhere", (), "No data", "CSP Warehouse"),
        ["#000000"],
        {"subjects": [], "areas": [], "map": None},
    ).decode()
    assert "no figures to explore" in made


def test_table_without_script_is_that_of_the_page(published: Path, page: Path) -> None:
    content = _content(page)
    made = plain_table(content["subjects"][0], content["areas"])
    assert made.caption == "Recorded crime, Total crime, Offences per 1,000 people"
    ((rate, status, label),) = _query(
        published,
        "select rate_per_1000, coalesce(status, ''), period_label from marts.crime_trends "
        f"where area_code = '{FENLAND}' and crime_type = 'Total crime' "
        "and period_type = 'quarter' order by period_start desc limit 1",
    )
    assert made.rows[-1][:2] == (label, f"{rate:.2f} {status}".strip())


# --- in a browser ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found(page: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("saved")
    done = subprocess.run(
        ["node", str(BROWSER / "explore.cjs"), str(CHROMIUM), str(page), str(folder)],
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@needs_browser
def test_chart_table_and_file_have_what_was_chosen(published: Path, found: Any) -> None:
    query = (
        "select area_code, period_start::varchar, {measure} from marts.crime_trends where "
        "crime_type = 'Shoplifting' and period_type = '{kind}' and area_code in ({codes})"
    )
    for step, kind, measure in (
        ("chosen", "month", "rate_per_1000"),
        ("measured", "month", "offences"),
        ("compared", "month", "offences"),
        ("quarters", "quarter", "offences"),
    ):
        seen = found[step]
        codes = ", ".join(f"'{code}'" for code in seen["areas"])
        rows = _query(published, query.format(measure=measure, kind=kind, codes=codes))
        drawn = {(one["code"], one["start"]): one["value"] for one in seen["values"]}
        assert len(drawn) == len(rows) == seen["inChart"], step
        for code, start, value in rows:
            assert _same(drawn[code, start], value), (step, code, start)
        assert seen["marks"] > 50
        assert len(seen["table"]) == len(rows) / len(seen["areas"])
    assert len(found["compared"]["areas"]) == 3
    saved = list(csv.DictReader(io.StringIO(found["file"]["text"].removeprefix("\ufeff"))))
    assert found["file"]["name"] == "recorded-crime-shoplifting-offences.csv"
    drawn = {(one["code"], one["start"]): one["value"] for one in found["quarters"]["values"]}
    assert {(row["area_code"], row["period_start"]): int(row["offences"]) for row in saved} == drawn
    assert all("(synthetic data)" in row["source"] for row in saved)


@pytest.mark.slow
@needs_browser
def test_map_and_types_and_every_subject_are_drawn(published: Path, found: Any) -> None:
    types = {one["heading"]: one["value"] for one in found["types"]["values"]
             if one["code"] == FENLAND}  # fmt: skip
    rows = _query(
        published,
        "select crime_type, offences from marts.crime_trends where period_type = 'quarter' and "
        f"area_code = '{FENLAND}' and period_start = (select max(period_start) from "
        "marts.crime_trends where period_type = 'quarter')",
    )
    assert types == dict(rows)
    places = _query(
        published,
        "select small_area_code, offences from marts.crime_hot_spots inner join "
        "marts.small_areas using (small_area_code) where crime_type = 'Total crime' and "
        f"small_areas.area_code = '{FENLAND}' and boundary is not null",
    )
    assert {one["code"]: one["offences"] for one in found["map"]["values"]} == dict(places)
    assert found["map"]["marks"] > len(places)
    saved = list(csv.DictReader(io.StringIO(found["mapFile"]["text"].removeprefix("\ufeff"))))
    assert {row["small_area_code"]: int(row["offences"]) for row in saved} == dict(places)
    assert list(found["subjects"]) == list(subject_metrics())
    for name, seen in found["subjects"].items():
        assert seen["values"], name
        assert seen["table"], name
        assert seen["notes"][-1].startswith("Source: "), name


@pytest.mark.slow
@needs_browser
def test_what_is_missing_is_shown_with_its_marker(found: Any) -> None:
    seen = found["subjects"]["survey"]
    missing = [one["shown"] for one in seen["values"] if one["value"] is None]
    assert missing
    assert all(text.startswith("[") for text in missing)
    assert {"[c]", "[x]"} >= {*missing}
    verb = "is" if len(missing) == 1 else "are"
    assert f"{len(missing)} {verb} hidden or not available" in seen["said"]


@pytest.mark.slow
@needs_browser
def test_page_serves_keyboard_reader_phone_and_no_script(found: Any) -> None:
    assert found["console"] == []
    assert found["requests"] == []
    assert found["violations"] == []
    assert max(found["widths"].values()) <= 0
    assert found["firstFocus"] == "Skip to the content"
    assert found["secondFocus"] == "subject"
    assert found["byKeyboard"]["choices"]["crime_type"] != "Total crime"
    assert found["keptFocus"] == "crime_type"
    assert found["shared"]["values"] == found["quarters"]["values"]
    assert len(found["plain"]) == 13
    assert "\tFenland\t" in found["plain"][0]
