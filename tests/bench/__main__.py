"""``make bench``: runs each side on the same data, compares the results, judges the ratios."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer
from rich.console import Console
from rich.table import Table

from orchestration.cli.console import new_console, styled
from orchestration.config.quarters import quarter_of
from orchestration.config.settings import PROJECT, load_settings
from orchestration.warehouse.refresh_state import KEPT
from tests.bench.archive import Archive, make_archive
from tests.bench.correction import land_correction
from tests.bench.county import report
from tests.bench.ours import CRIME_MARTS
from tests.bench.recorded import machine, read_recorded, record, regressions
from tests.bench.same import script

_HISTORIES = (4, 20, 40)
_RUNS = 3
"""How often what is compared closely is run, by turns: what else the machine does then meets both
alike. The turn with the middle ratio counts."""

_DBT_ALONE = """
from orchestration.config.settings import load_settings
from orchestration.transform.dbt_runner import run_dbt
run_dbt(load_settings(), ["build", "--exclude-resource-type", "unit_test"])
"""
_EXPORTS = """
import sys
from datetime import date
from orchestration.dagster.assets.exports import export_quarter
from orchestration.config.settings import load_settings
export_quarter(load_settings(), date.fromisoformat(sys.argv[1]))
"""
_SAME = """
attach '{ours}' as ours (read_only);
attach '{bare}' as bare (read_only);
"""
_DIFFERENCES = """
with made as (
    select month, area_code, crime_type, offences
    from ours.marts.crime_monthly
    where area_type = 'district' and offences > 0
),
wanted as (
    select month, area_code, crime_type, offences from bare.crime_monthly
)
select count(*) from (
    (select * from made except all select * from wanted)
    union all
    (select * from wanted except all select * from made)
)
"""

_DIFFERENT_ROWS = """
select count(*) from (
    (select * from ours.marts.{name} except all select * from same.marts.{name})
    union all
    (select * from same.marts.{name} except all select * from ours.marts.{name})
)
"""


def bench(
    rows: Annotated[int, typer.Option(help="Rows of the archive.")] = 10_000_000,
    months: Annotated[int, typer.Option(help="Months that it covers.")] = 120,
    files: Annotated[int, typer.Option(help="Files that a month comes in.")] = 1,
    history: Annotated[
        int, typer.Option(help="Rows of a quarter, for histories of 4, 20 and 40; 0 for none.")
    ] = 250_000,
    county: Annotated[
        bool, typer.Option(help="Protect and attack a county's tables as well.")
    ] = True,
    keep: Annotated[
        bool, typer.Option("--record", help="Record the ratios as those to be kept.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option(help="Where to put it; a scratch folder otherwise.")
    ] = None,
) -> None:
    """Measure bulk, start-up and growth beside their peers; fail where a ratio got worse."""
    console = new_console()
    scratch = Path(tempfile.mkdtemp(prefix="csp-bench-", dir=folder))
    ratios: dict[str, float] = {}
    try:
        console.print(f"On {machine()}.")
        # Bulk comes after these: it leaves this process large, and the system counts what started
        # a process as that one's peak as well.
        _start_up(console, scratch / "sample", ratios)
        if county:
            _county(console, ratios)
        differences = _bulk(console, scratch / "bulk", (rows, months, files), ratios)
        if history:
            _growth(console, scratch, history, ratios)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    for name, ratio in ratios.items():
        console.print(f"{name}: {ratio:.2f}")
    worse = regressions(ratios, read_recorded())
    for one in worse:
        console.print(styled("[bold red]Worse by more than a fifth.[/] {}", one))
    if keep:
        record(ratios)
    if differences or (worse and not keep):
        raise typer.Exit(1)


def _bulk(
    console: Console, folder: Path, size: tuple[int, int, int], ratios: dict[str, float]
) -> int:
    """Measure ingest to marts beside DuckDB and pandas; return how many cells differ."""
    rows, months, files = size
    settings = load_settings()
    console.print(f"Making an archive of {rows:,} rows over {months} months ...")
    archive = make_archive(folder, rows, months, files)
    _read_through(archive)
    limits = (settings.engine_memory, str(settings.threads))
    floor = _bare("pass", archive, folder / "floor.duckdb", limits)
    bare = _bare("keep", archive, folder / "bare.duckdb", limits)
    frames = _measured(["-m", "tests.bench.frames", str(archive.raw)], {})
    crime, same = _by_turns(archive, folder, limits)
    everything = _ours(archive, folder / "all", "all")
    differences = _differences(folder / "all", folder / "bare.duckdb")
    differences += _different_rows(folder / "all", folder / "same" / "warehouse.duckdb")
    readers = _readers(archive, folder / "all")
    measured = (
        ("Floor: bare DuckDB, files to marts, no row kept", floor),
        ("Bare DuckDB: all rows loaded, then the marts", bare),
        ("pandas: three columns read, no row kept", frames),
        ("Bare DuckDB: all rows loaded, then the warehouse's SQL for these marts", same),
        ("CSP Warehouse: the same marts, checked, by Dagster", crime),
        ("CSP Warehouse: all models, checked, by Dagster", everything),
    )
    console.print(_results(archive, measured))
    console.print(f"Steps of all: {_steps(everything)}")
    console.print(f"Steps of the same marts: {_steps(crime)}")
    console.print(
        f"From the first load's start to the last mart's end: {crime['ingest_to_marts']:.1f} s of "
        f"{crime['seconds']:.1f} s; the rest is the start of Python and Dagster"
    )
    console.print(f"Rows of the marts that differ from those of the bare scripts: {differences}")
    console.print(
        "{queries} example queries ({with_rows} find rows) on the published file of "
        "{file_mb:.0f} MB: median {median:.0f} ms, p95 {p95:.0f} ms, slowest {slowest:.0f} ms "
        "({slowest_question}); all crime summed {yardstick:.0f} ms".format(**readers)
    )
    scale = f"{rows // 1_000_000} million rows"
    ratios[f"same marts to bare DuckDB, {scale}"] = crime["seconds"] / bare["seconds"]
    ratios[f"same marts to their SQL run bare, {scale}"] = crime["seconds"] / same["seconds"]
    ratios[f"ingest to marts to their SQL run bare, {scale}"] = (
        crime["ingest_to_marts"] / same["seconds"]
    )
    ratios[f"all models to bare DuckDB, {scale}"] = everything["seconds"] / bare["seconds"]
    ratios[f"peak memory to its limit, {scale}"] = everything["peak_mib"] / (
        settings.memory_limit / 2**20
    )
    ratios[f"example queries' p95 to a sum of all crime, {scale}"] = (
        readers["p95"] / readers["yardstick"]
    )
    return differences


def _by_turns(
    archive: Archive, folder: Path, limits: tuple[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return ours and its SQL run bare, of the middle turn."""
    turns = []
    for _ in range(_RUNS):
        # The last turn stays: its rows are compared.
        for left in ("crime", "same"):
            shutil.rmtree(folder / left, ignore_errors=True)
        turns.append((_ours(archive, folder / "crime", "crime"), _same(archive, folder, limits)))
    turns.sort(key=lambda turn: turn[0]["ingest_to_marts"] / turn[1]["seconds"])
    return turns[_RUNS // 2]


def _start_up(console: Console, home: Path, ratios: dict[str, float]) -> None:
    """Measure refreshes of the sample and all exports, beside dbt alone.

    The refreshes: the first one, nothing new (as answered from the record, and run without it), all
    models built again, and one corrected delivery.
    """
    raw = home.with_name("raw")
    shutil.copytree(PROJECT / "raw", raw)
    environment = {"CSP_HOME": str(home), "CSP_RAW": str(raw)}
    refresh = ["-m", "orchestration.cli", "refresh"]
    first = _timed(refresh, environment)
    answered = _timed(refresh, environment)
    shutil.rmtree(home / KEPT)
    warm = _timed(refresh, environment)
    full = _timed([*refresh, "--full"], environment)
    land_correction(raw, home.with_name("corrected"), {**os.environ, **environment})
    corrected = _timed(refresh, environment)
    # Last: after it, the next refresh builds every model.
    dbt = _timed(["-c", _DBT_ALONE], environment)
    (quarter,) = [folder.name for folder in (home / "exports").iterdir()]
    shutil.rmtree(home / "exports")
    exports = _timed(["-c", _EXPORTS, quarter], environment)
    console.print(
        f"Sample: first refresh {first:.1f} s, nothing new, answered from the record "
        f"{answered:.1f} s, run {warm:.1f} s, one corrected delivery {corrected:.1f} s, "
        f"--full {full:.1f} s, all exports {exports:.1f} s, dbt build alone {dbt:.1f} s"
    )
    ratios["first refresh to dbt build alone"] = first / dbt
    ratios["one corrected delivery to dbt build alone"] = corrected / dbt
    ratios["answer that nothing is new to dbt build alone"] = answered / dbt
    ratios["refresh with nothing new to dbt build alone"] = warm / dbt
    ratios["full refresh to dbt build alone"] = full / dbt
    ratios["all exports to dbt build alone"] = exports / dbt


def _county(console: Console, ratios: dict[str, float]) -> None:
    """Measure the disclosure control of a county; what is judged is how good the choice is."""
    found = _measured(["-m", "tests.bench.county", "--json"], {})
    console.print("\n".join(report(found)))
    ratios["information lost in a county to the proved bound"] = 1 / (1 - found["gap"])


def _growth(console: Console, scratch: Path, rows: int, ratios: dict[str, float]) -> None:
    """Measure what a quarter costs after a short and a long history, by turns."""
    archives = {}
    for quarters in _HISTORIES:
        folder = scratch / f"history-{quarters}"
        archives[quarters] = make_archive(folder, rows * quarters, 3 * quarters)
        _ours(archives[quarters], folder / "var", "all", quarters_before=1)
        (folder / "var").rename(folder / "before")
    turns = []
    for _ in range(_RUNS):
        took = {}
        for quarters, archive in archives.items():
            home = scratch / f"history-{quarters}" / "var"
            shutil.copytree(home.with_name("before"), home)
            took[quarters] = _ours(archive, home, "all")["seconds"]
            shutil.rmtree(home)
        turns.append((max(took.values()) / min(took.values()), took))
    turns.sort(key=lambda turn: turn[0])
    ratio, took = turns[_RUNS // 2]
    told = ", ".join(f"{quarters} quarters {seconds:.1f} s" for quarters, seconds in took.items())
    console.print(f"One more quarter of {rows:,} rows after a history of: {told}")
    ratios["one more quarter, long history to short"] = ratio


def _settle() -> None:
    """Let what was written before reach the disk: what is measured next is not to wait for it."""
    os.sync()


def _timed(arguments: list[str], environment: dict[str, str]) -> float:
    _settle()
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        env={**os.environ, **environment}, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - started


def _read_through(archive: Archive) -> None:
    """Read the files once, so that every side finds them in memory alike."""
    for path in archive.files:
        with path.open("rb") as handle:
            while handle.read(1 << 22):
                pass


def _measured(arguments: list[str], environment: dict[str, str]) -> dict[str, Any]:
    _settle()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _bare(kind: str, archive: Archive, database: Path, limits: tuple[str, str]) -> dict[str, Any]:
    return _measured(["-m", "tests.bench.bare", kind, str(archive.raw), str(database), *limits], {})


def _same(archive: Archive, folder: Path, limits: tuple[str, str]) -> dict[str, Any]:
    """Run the SQL of the crime marts that stand in ``folder / "crime"`` by DuckDB alone."""
    (folder / "same").mkdir()
    written = folder / "same" / "script.sql"
    written.write_text(script(folder / "crime", archive.raw))
    database = folder / "same" / "warehouse.duckdb"
    return _measured(["-m", "tests.bench.same", str(written), str(database), *limits], {})


def _ours(archive: Archive, home: Path, what: str, quarters_before: int = 0) -> dict[str, Any]:
    """Run ours as at the archive's last quarter, or as many quarters before it."""
    environment = {
        "CSP_HOME": str(home),
        "CSP_RAW": str(archive.raw),
        "CSP_PARTNERSHIPS": str(archive.partnerships),
        "CSP_FIRST_QUARTER": "2013-01-01",
        # Of some models only, no check that needs a table which is not made.
        "DBT_INDIRECT_SELECTION": "buildable" if what == "crime" else "eager",
    }
    quarter = archive.quarter
    for _ in range(quarters_before):
        quarter = quarter_of(quarter - timedelta(days=1))
    _timed(["-m", "orchestration.cli", "prepare"], environment)
    return _measured(["-m", "tests.bench.ours", quarter.isoformat(), what], environment)


def _readers(archive: Archive, home: Path) -> dict[str, Any]:
    """Publish the warehouse in ``home``, and run the example queries on it."""
    _ours(archive, home, "release")
    published = home / "published" / "csp.duckdb"
    return _measured(["-m", "tests.bench.readers", str(published)], {})


def _differences(home: Path, bare: Path) -> int:
    with duckdb.connect() as connection:
        connection.execute(_SAME.format(ours=home / "warehouse.duckdb", bare=bare))
        ((count,),) = connection.execute(_DIFFERENCES).fetchall()
    return int(count)


def _different_rows(home: Path, same: Path) -> int:
    """Count the rows of the crime marts that are not in both databases."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{home / 'warehouse.duckdb'}' as ours (read_only)")
        connection.execute(f"attach '{same}' as same (read_only)")
        counts = [
            connection.execute(_DIFFERENT_ROWS.format(name=name)).fetchall() for name in CRIME_MARTS
        ]
    return sum(int(count) for ((count,),) in counts)


def _results(archive: Archive, results: Sequence[tuple[str, dict[str, Any]]]) -> Table:
    size = sum(path.stat().st_size for path in archive.files)
    table = Table(
        "What", "Seconds", "Rows a second", "Peak MiB",
        title=f"{archive.rows:,} rows, {len(archive.files)} files, {size / 1e9:.1f} GB",
    )  # fmt: skip
    for name, measured in results:
        table.add_row(
            name, f"{measured['seconds']:.1f}", f"{archive.rows / measured['seconds']:,.0f}",
            f"{measured['peak_mib']:,.0f}",
        )  # fmt: skip
    return table


def _steps(ours: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value:.1f} s" for name, value in ours["steps"].items())


if __name__ == "__main__":
    typer.run(bench)
