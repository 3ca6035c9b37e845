"""``csp status``: what is due, late, refused, loaded and published, and why."""

import os
import re
import subprocess
import sys
from datetime import date
from io import StringIO

import pytest

from orchestration.cli.console import new_console
from orchestration.cli.status import show_status
from orchestration.ingest.landing.receipt import Receipt
from orchestration.warehouse.connection import writer_lock
from tests.support import NOW, Ground, month_file


def _status(ground: Ground, today: str, *, given: bool = True) -> str:
    said = StringIO()
    console = new_console(file=said, width=160)
    show_status(ground.settings, console, date.fromisoformat(today), given=given)
    return said.getvalue()


def _row(said: str, source: str) -> list[str]:
    line = next(line for line in said.splitlines() if line.startswith(f"{source} "))
    return re.split(r" {2,}", line.strip())


def test_state_of_a_delivery_from_due_to_loaded(ground: Ground) -> None:
    ground.put("police_uk_street", "2018-01-01", {"a.csv": month_file("2018-01")})
    ground.load("police_uk_street", "2018-01-01")
    awaited = _status(ground, "2018-07-20")
    assert _row(awaited, "police_uk_street") == [
        "police_uk_street", "loaded v1", "due 2018-08-31", "Q4 2017/18", "2018-08-31",
    ]  # fmt: skip
    late = _status(ground, "2018-09-05")
    assert _row(late, "police_uk_street")[2] == "late 5 days"
    assert "Ask for" in late
    folder = ground.put("police_uk_street", "2018-04-01", {"a.csv.part": month_file("2018-04")})
    assert _row(_status(ground, "2018-09-05"), "police_uk_street")[2] == "being transferred"
    (folder / "a.csv.part").rename(folder / "a.csv")
    landed = _status(ground, "2018-09-05")
    assert _row(landed, "police_uk_street")[2] == "landed, not loaded"
    assert "`csp refresh 2018-04-01` loads police_uk_street" in landed
    ground.load("police_uk_street")
    done = _status(ground, "2018-09-05")
    assert _row(done, "police_uk_street")[2:4] == ["loaded v1", "Q1 2018/19"]
    assert "Q1 2018/19: 1 loaded" in done
    assert "not published. `csp refresh 2018-04-01` publishes it" in done
    (folder / "a.csv").write_text(month_file("2018-04", rows=12))
    assert _row(_status(ground, "2018-09-05"), "police_uk_street")[2] == "changed since v1"


def test_refused_delivery_is_reported_with_its_reason(ground: Ground) -> None:
    ground.put("police_uk_street", "2018-04-01", {"2018-04.csv": "Wrong,Header\r\n1,2\r\n"})
    ground.load("police_uk_street")
    said = _status(ground, "2018-09-05")
    assert _row(said, "police_uk_street")[2] == "refused v1"
    assert "Ask for corrected files of police_uk_street and land them" in said
    assert "Refused: police_uk_street 2018-04-01 (version 1). 2018-04.csv" in said


def _put_synthetic(ground: Ground, source: str, quarter: str) -> None:
    folder = ground.put(source, quarter, {"a.csv": month_file(quarter[:7])})
    Receipt(
        source=source,
        quarter=date.fromisoformat(quarter),
        received_at=NOW,
        nature="synthetic",
        note="",
    ).with_files(folder).write(folder)


def test_sample_data_are_not_late(ground: Ground) -> None:
    _put_synthetic(ground, "police_uk_street", "2018-07-01")
    _put_synthetic(ground, "police_uk_street", "2018-10-01")
    ground.put("population_estimates", "2018-04-01", {"real.csv": "a\n1\n"})
    said = _status(ground, "2026-11-29", given=False)
    assert "Sample data up to December 2018." in said
    assert _row(said, "police_uk_street") == ["police_uk_street", *["landed, not loaded"] * 2,
                                              "nothing"]  # fmt: skip
    assert "late" not in said.replace("reported as late", "") and "Next due" not in said
    assert "late" in _status(ground, "2026-11-29", given=True)
    assert "Sample data" not in _status(ground, "2018-12-15", given=False), "it is not old yet"


@pytest.mark.parametrize("receipt", ["missing", "of real figures"])
def test_data_of_which_any_may_be_real_are_late(ground: Ground, receipt: str) -> None:
    _put_synthetic(ground, "police_uk_street", "2018-07-01")
    _put_synthetic(ground, "police_uk_street", "2018-10-01")
    path = ground.settings.raw / "police_uk_street/2018-07-01/delivery.json"
    if receipt == "missing":
        path.unlink()
    else:
        path.write_text(path.read_text().replace('"synthetic"', '"real"'))
    said = _status(ground, "2026-11-29", given=False)
    assert "Sample data" not in said and "late 90 days" in said


def test_status_while_a_refresh_is_writing(ground: Ground) -> None:
    ground.put("police_uk_street", "2018-04-01", {"a.csv": month_file()})
    ground.load("police_uk_street")
    holder = subprocess.Popen(
        [sys.executable, "-c",
         "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('held', flush=True);"
         " time.sleep(60)", str(ground.settings.warehouse)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with writer_lock(ground.settings.home, "A refresh"):
            said = _status(ground, "2018-09-05")
    finally:
        holder.kill()
        holder.wait()
    assert "What is loaded cannot be shown now" in said
    assert _row(said, "police_uk_street")[2] == "landed"


def test_status_of_a_damaged_warehouse_and_release_is_reported(ground: Ground) -> None:
    ground.put("police_uk_street", "2018-04-01", {"a.csv": month_file()})
    ground.settings.home.mkdir()
    ground.settings.warehouse.write_bytes(b"no database")
    release = ground.settings.published / "2018-04-01" / "csp.duckdb"
    release.parent.mkdir(parents=True)
    release.write_bytes(b"no database")
    said = _status(ground, "2018-09-05")
    assert "is damaged" in said
    assert "cannot be read" in said


@pytest.mark.parametrize("command", ["status", "--help"])
def test_status_needs_neither_dagster_nor_dbt(ground: Ground, command: str) -> None:
    script = (
        "import sys; sys.argv = ['csp', sys.argv[1]]\n"
        "from orchestration.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in sys.modules if name.split('.')[0] in {'dagster', 'dbt'}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, command],
        env={**os.environ, "CSP_HOME": str(ground.settings.home),
             "CSP_RAW": str(ground.settings.raw)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"
