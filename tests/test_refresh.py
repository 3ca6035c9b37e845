"""The refresh as a person runs it: the command line, its summary, its refusals."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.console import Console

from orchestration.cli.exit_codes import ExitCode
from orchestration.cli.json_output import RefreshOutput
from orchestration.cli.refresh_outcome import Ran
from orchestration.cli.refresh_summary import _print_refusals, quarantined_place
from orchestration.config.settings import PROJECT, Settings
from orchestration.warehouse.connection import writer_lock
from orchestration.warehouse.refresh_record import standing_record
from tests.support import NOW, Ground, csv_rows, month_file, refresh, street_file, street_row

Run = Callable[..., subprocess.CompletedProcess[str]]
SOURCES = ("area_lookups", "dwelling_stock", "police_uk_street", "population_estimates")


@pytest.fixture
def own(sample: Ground, tmp_path: Path) -> Ground:
    """A refreshed sample of its own, to change; its last quarter is the one refreshed."""
    shutil.copytree(sample.settings.home, tmp_path / "var")
    later = shutil.ignore_patterns("2018-07-01", "2018-10-01")
    shutil.copytree(PROJECT / "raw", tmp_path / "raw", ignore=later)
    return Ground(Settings(home=tmp_path / "var", raw=tmp_path / "raw"))


def _tables(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(file, read_only=True) as connection:
        names = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() order by all"
        ).fetchall()
        return {
            name: connection.execute(f"select * from {name} order by all").fetchall()
            for (name,) in names
        }


def _stood(said: str) -> int:
    """How many models were not built again."""
    found = re.search(r"(\d+) models and their checks are unchanged", said)
    return int(found[1]) if found else 0


def _marts(home: Path) -> dict[str, list[tuple[object, ...]]]:
    tables = _tables(home / "warehouse.duckdb")
    return {
        name: rows for name, rows in tables.items() if name.split(".")[0] in {"marts", "reports"}
    }


def _built(home: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table that dbt makes."""
    tables = _tables(home / "warehouse.duckdb")
    made = {"reference", "intermediate", "marts", "reports"}
    return {name: rows for name, rows in tables.items() if name.split(".")[0] in made}


def test_sample_gives_published_file_and_exports_of_six_partnerships(sample: Ground) -> None:
    home = sample.settings.home
    tables = _tables(home / "published" / "csp.duckdb")
    for name in (
        "marts.crime_monthly",
        "marts.shoplifting_trends",
        "marts.burglary_trends",
        "marts.social_housing_stock",
        "marts.supported_accommodation",
        "marts.dim_area",
        "marts.dim_month",
        "reports.table_5_social_dwellings",
        "reports.figure_10_shoplifting",
        "reports.figure_11_burglary",
        "main.release",
        "main.sources",
        "main.data_dictionary",
    ):
        assert tables[name], name
    folders = sorted(path.name for path in (home / "exports" / "2018-04-01").iterdir())
    assert folders == [
        "cambridge",
        "east-cambridgeshire",
        "fenland",
        "huntingdonshire",
        "peterborough",
        "south-cambridgeshire",
    ]


def test_table_5_of_the_sample_is_the_printed_table(sample: Ground) -> None:
    printed = csv_rows(PROJECT / "tests/golden/table5_social_dwellings.csv")
    totals = {row["area_name"]: float(row["value"]) for row in printed if row["measure"] == "Total"}
    made = dict(
        sample.query(
            "select area_name, total from reports.table_5_social_dwellings where stock_year = 2016"
        )
    )
    assert made == totals


def test_nothing_raw_or_quarantined_is_published(sample: Ground) -> None:
    with duckdb.connect(sample.settings.published / "csp.duckdb", read_only=True) as connection:
        schemas = connection.execute("select distinct schema_name from duckdb_tables()").fetchall()
    assert {schema for (schema,) in schemas} <= {"main", "marts", "reports"}


@pytest.mark.slow
def test_second_refresh_says_that_nothing_changed_and_nothing_did(own: Ground) -> None:
    home = own.settings.home
    before = _marts(home)
    published = home / "published" / "csp.duckdb"
    workbook = home / "exports" / "2018-04-01" / "fenland" / "workbook.xlsx"
    stamps = [(path.stat().st_ino, path.stat().st_mtime_ns) for path in (published, workbook)]

    done = refresh(home, own.settings.raw, "--json")

    assert done.returncode == 0, done.stderr
    answer = RefreshOutput.model_validate_json(done.stdout)
    assert (answer.outcome, answer.exit_code, answer.numbers) == ("unchanged", 0, None)
    assert {one.source: one.deliveries_unchanged for one in answer.deliveries}["iom_cohort"] == 1
    assert "Nothing has changed" in done.stderr
    assert _stood(done.stderr) > 90
    # The survey doubled its responses, which is reported at each refresh until somebody accepts it.
    ((passed, total, warned),) = re.findall(
        r"Checks: (\d+) of (\d+) passed, (\d+) warn", done.stderr
    )
    assert (int(passed) + int(warned), warned) == (int(total), "1")
    assert (answer.checks.passed, answer.checks.warned) == (int(passed), 1)
    assert _marts(home) == before
    assert [
        (path.stat().st_ino, path.stat().st_mtime_ns) for path in (published, workbook)
    ] == stamps


@pytest.mark.slow
def test_refresh_after_one_with_nothing_new_is_answered_without_a_run(
    own: Ground, csp: Run
) -> None:
    home, raw = own.settings.home, own.settings.raw
    runs = home / "dagster" / "history" / "runs"
    whole = refresh(home, raw, "--json")
    assert whole.returncode == 0, whole.stderr
    before = sorted(runs.iterdir())
    assert standing_record(own.settings, [date(2018, 4, 1)]) is not None

    done = refresh(home, raw, "--json")

    assert done.returncode == 0, done.stderr
    assert sorted(runs.iterdir()) == before
    ran, answered = (RefreshOutput.model_validate_json(one.stdout) for one in (whole, done))
    assert ran.compared is None
    assert answered.compared is not None
    assert answered.compared.landed_files == sum(
        file.is_file() for file in raw.rglob("*") if file.name != ".gitignore"
    )
    same = {"checks", "compared"}
    assert answered.model_dump(exclude=same) == ran.model_dump(exclude=same)
    said = " ".join(done.stderr.split())
    assert "Nothing has changed" in said
    assert "Nothing was run" in said
    for line in whole.stderr.splitlines():
        if line.startswith(("Unusual", "Warning", "In quarantine", "police_uk_street", "For BI")):
            assert line in done.stderr.splitlines()

    accepted = csp("accept", "community_survey", "2018-04-01", "volume", "--reason", "More towns",
                   CSP_HOME=str(home), CSP_RAW=str(raw))  # fmt: skip
    assert accepted.returncode == 0, accepted.stderr
    assert standing_record(own.settings, [date(2018, 4, 1)]) is None


@pytest.mark.slow
def test_refused_delivery_stops_the_quarter_and_leaves_the_release(own: Ground) -> None:
    home, raw = own.settings.home, own.settings.raw
    published = home / "published" / "csp.duckdb"
    before = published.read_bytes()
    marts = _marts(home)
    folder = raw / "police_uk_street" / "2018-04-01"
    (folder / "delivery.json").unlink()
    broken = sorted(folder.glob("*.csv"))[0]
    broken.write_bytes(broken.read_bytes()[:-100])

    done = refresh(home, raw, "--json")

    assert done.returncode == ExitCode.REFUSED_DELIVERY
    answer = RefreshOutput.model_validate_json(done.stdout)
    assert (answer.outcome, answer.exit_code) == ("stopped", ExitCode.REFUSED_DELIVERY)
    assert [(one.source, one.quarter, one.version) for one in answer.refused] == [
        ("police_uk_street", date(2018, 4, 1), 2)
    ]
    assert not answer.quarters[0].published
    assert "Traceback" not in done.stdout + done.stderr
    said = " ".join(done.stderr.split())
    for words in (broken.name, "cut short", "line ", "[rule: is whole]", "Nothing was published"):
        assert words in said
    assert published.read_bytes() == before
    assert _marts(home) == marts


@pytest.mark.slow
@pytest.mark.campaign
def test_correction_after_a_refusal_takes_effect(own: Ground, csp: Run, tmp_path: Path) -> None:
    home, raw = own.settings.home, own.settings.raw
    folder = raw / "police_uk_street" / "2018-04-01"
    good = {path.name: path.read_bytes() for path in sorted(folder.glob("*.csv"))}
    first = next(iter(good))
    desk = tmp_path / "desk"
    desk.mkdir()
    lines = good[first].decode().splitlines(keepends=True)
    fenland = next(line for line in lines if "Fenland" in line and "Shoplifting" in line)
    for name, content in good.items():
        (desk / name).write_bytes(content)
    (desk / first).write_text("".join(lines) + fenland * 5, newline="")
    environment = {"CSP_HOME": str(home), "CSP_RAW": str(raw)}
    query = (
        "select offences from marts.shoplifting_trends where area_name = 'Fenland' "
        "and period_type = 'month' and period_start = '2018-04-01'"
    )
    before = own.value(query)

    landed = csp("land", "police_uk_street", "2018-04-01", "--replace",
                 *(str(path) for path in sorted(desk.iterdir())), **environment)  # fmt: skip
    assert landed.returncode == 0, landed.stderr
    done = refresh(home, raw)

    assert done.returncode == 0, done.stdout
    assert own.value(query) == before + 5
    said = " ".join(done.stdout.split())
    assert "What changed beside the build of Q1 2018/19 that it replaces: revised" in said
    assert f"Shoplifting trends, E07000010; month; 2018-04-01, offences: {before} →" in said
    assert own.query(
        "select distinct deliveries from marts.shoplifting_trends where area_name = 'Fenland' "
        "and period_type = 'month' and period_start = '2018-04-01'"
    )[0][0].startswith("police_uk_street 2018-04-01 v2")
    assert _stood(done.stdout) > 40, "what has nothing to do with recorded crime stands"
    partly = _built(home)
    full = refresh(home, raw, "--full")
    assert full.returncode == 0, full.stdout
    assert _stood(full.stdout) == 0
    assert _built(home) == partly


@pytest.mark.slow
def test_older_quarter_is_rebuilt_without_what_came_later(own: Ground) -> None:
    home, raw = own.settings.home, own.settings.raw
    done = refresh(home, raw, "2018-01-01")
    assert done.returncode == 0, done.stdout + done.stderr
    older = _tables(home / "published" / "2018-01-01" / "csp.duckdb")
    assert older["main.release"][0][0].isoformat() == "2018-01-01"
    months = {row[0] for row in older["marts.dim_month"]}
    assert max(months).isoformat() == "2018-03-01"
    current = _tables(home / "published" / "csp.duckdb")
    assert current["main.release"][0][0].isoformat() == "2018-04-01"
    assert _stood(done.stdout) > 0, "what no delivery of the later quarter concerns stands"
    partly = _built(home)
    full = refresh(home, raw, "2018-01-01", "--full")
    assert full.returncode == 0, full.stdout
    assert _built(home) == partly


def test_a_fault_of_a_whole_line_names_no_column() -> None:
    assert quarantined_place("iom_cohort", "a.csv", 9, None) == "iom_cohort, a.csv, line 9"
    assert quarantined_place("iom_cohort", "a.csv", 9, "Sex") == (
        "iom_cohort, a.csv, line 9, column 'Sex'"
    )


def test_one_writer_at_a_time_and_the_other_is_reported(own: Ground) -> None:
    with writer_lock(own.settings.home, "The nightly run"):
        done = refresh(own.settings.home, own.settings.raw)
    assert done.returncode == ExitCode.LOCKED
    assert "The nightly run (process " in " ".join(done.stdout.split())
    assert "One writer at a time" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_warehouse_open_elsewhere_is_reported(own: Ground) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c",
         "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('held', flush=True);"
         " time.sleep(60)", str(own.settings.warehouse)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        done = refresh(own.settings.home, own.settings.raw)
    finally:
        holder.kill()
        holder.wait()
    assert done.returncode == ExitCode.LOCKED
    assert "is open in another program" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.slow
def test_damaged_warehouse_is_reported_set_aside_and_rebuilt(own: Ground) -> None:
    before = _built(own.settings.home)
    damaged = b"this is not a database" * 1000
    own.settings.warehouse.write_bytes(damaged)
    done = refresh(own.settings.home, own.settings.raw)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The warehouse was damaged" in " ".join(done.stdout.split())
    assert "Traceback" not in done.stdout + done.stderr
    aside = list(own.settings.home.glob("*damaged*"))
    assert [file.read_bytes() for file in aside] == [damaged]
    assert _built(own.settings.home) == before


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["2018-Q5"], {}, "is not a quarter"),
        (["2035-04-01"], {}, "Nothing has landed for Q1 2035/36"),
        pytest.param(
            ["2035-04-01", "--even-if-empty"], {}, "cannot be refreshed", marks=pytest.mark.slow
        ),
        ([], {"CSP_RAW": "nowhere"}, "Nothing has landed"),
        ([], {"CSP_THREADS": "many"}, "CSP_THREADS"),
        pytest.param(
            ["2018-04-01"],
            {"CSP_PARTNERSHIPS": "nowhere.toml"},
            "does not list partnerships",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_wrong_arguments_and_settings_are_reported(
    tmp_path: Path, csp: Run, arguments: list[str], environment: dict[str, str], words: str
) -> None:
    raw = tmp_path / "raw"
    (raw / "area_lookups").mkdir(parents=True)
    shutil.copytree(PROJECT / "raw/area_lookups/2018-04-01", raw / "area_lookups/2018-04-01")
    places = raw / "supported_accommodation/2018-04-01"
    shutil.copytree(PROJECT / "raw/supported_accommodation/2018-04-01", places)
    settings = {"CSP_HOME": str(tmp_path / "var"), "CSP_RAW": str(raw), **environment}
    done = csp("refresh", *arguments, **settings)
    assert done.returncode == 1
    assert words in " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in done.stdout + done.stderr


def test_sql_answers_and_cannot_write(sample: Ground, csp: Run) -> None:
    environment = {"CSP_HOME": str(sample.settings.home)}
    query = "select count(*) as months from marts.dim_month"
    for extra in ((), ("--published",)):
        done = csp("sql", query, "--csv", *extra, **environment)
        assert done.stdout == "months\n66\n", done.stderr
    shown = csp("sql", query, **environment)
    assert "66" in shown.stdout, shown.stderr
    for change in ("drop table marts.dim_month", "copy (select 1) to 'x.csv'"):
        done = csp("sql", change, **environment)
        assert done.returncode == 1
        assert "cannot be answered" in done.stderr
        assert "Traceback" not in done.stderr
    elsewhere = csp("sql", "select * from main.release", **environment)
    assert "--published" in " ".join(elsewhere.stderr.split())


def test_status_shows_each_source_and_the_release(sample: Ground, csp: Run) -> None:
    done = csp("status", CSP_HOME=str(sample.settings.home))
    assert done.returncode == 0, done.stderr
    for word in (*SOURCES, "Q1 2018/19 (2018-04-01)", "Synthetic data", "current"):
        assert word in done.stdout


def test_land_tells_what_is_wrong(tmp_path: Path, csp: Run) -> None:
    path = tmp_path / "x.csv"
    path.write_text(month_file())
    done = csp("land", "police", "2018-04-01", str(path), CSP_RAW=str(tmp_path / "raw"))
    assert done.returncode == 1
    assert "There is no source 'police'" in " ".join(done.stderr.split())
    assert "police_uk_street" in done.stderr


def test_synthetic_says_so_everywhere(sample: Ground) -> None:
    home = sample.settings.home
    assert _tables(home / "published" / "csp.duckdb")["main.release"]
    with duckdb.connect(home / "published" / "csp.duckdb", read_only=True) as connection:
        ((synthetic, notice),) = connection.execute(
            "select synthetic, synthetic_notice from release"
        ).fetchall()
    assert synthetic
    assert "synthetic" in notice.lower()
    folder = home / "exports" / "2018-04-01" / "fenland"
    assert "synthetic" in json.dumps(json.loads((folder / "manifest.json").read_text())).lower()
    for chart in (folder / "charts").glob("figure_*.svg"):
        assert re.search("synthetic", chart.read_text(), re.IGNORECASE), chart.name


@pytest.mark.slow
def test_killed_refresh_leaves_the_release_and_the_next_one_completes(own: Ground) -> None:
    home, raw = own.settings.home, own.settings.raw
    before = (home / "published" / "csp.duckdb").read_bytes()
    marts = _marts(home)
    shutil.rmtree(home / "exports")
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestration.cli", "refresh"],
        env={**os.environ, "CSP_HOME": str(home), "CSP_RAW": str(raw)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(6)
    process.kill()
    process.wait()
    assert (home / "published" / "csp.duckdb").read_bytes() == before
    done = refresh(home, raw)
    assert done.returncode == 0, done.stdout + done.stderr
    assert _marts(home) == marts


@pytest.mark.parametrize("began", [NOW, None])
def test_refused_rows_of_an_earlier_quarter_are_listed_by_the_run_that_loads_them(
    ground: Ground, began: datetime | None
) -> None:
    rows = [street_row("2017-11", number=number) for number in range(1, 200)]
    late = street_file([*rows, street_row("2017-11", number=200, longitude="east")])
    ground.put("police_uk_street", "2017-10-01", {"2017-11-cambridgeshire-street.csv": late})
    ground.load("police_uk_street")
    assert ground.value("select rows_refused from control.deliveries") == 1
    said = io.StringIO()
    _print_refusals(
        ground.settings,
        [date(2018, 4, 1)],
        Ran(True, "run", began_at=began),
        Console(file=said, width=400),
    )
    listed = "In quarantine: police_uk_street, 2017-11-cambridgeshire-street.csv, line 201"
    assert (listed in said.getvalue()) is bool(began)
