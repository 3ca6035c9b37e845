"""``make bench``: makes the archive, runs both sides on it, compares results, prints ratios."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer
from rich.console import Console
from rich.table import Table

from orchestration.bench.archive import Archive, make_archive
from orchestration.settings import PROJECT, load_settings

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


def bench(
    rows: Annotated[int, typer.Option(help="Rows of the archive.")] = 10_000_000,
    months: Annotated[int, typer.Option(help="Months that it covers.")] = 120,
    folder: Annotated[
        Path | None, typer.Option(help="Where to put it; a scratch folder otherwise.")
    ] = None,
) -> None:
    """Measure ingest-to-marts and a warm refresh against the bare engine."""
    console = Console(highlight=False)
    settings = load_settings()
    scratch = Path(tempfile.mkdtemp(prefix="csp-bench-", dir=folder))
    try:
        console.print(f"Making an archive of {rows:,} rows over {months} months ...")
        archive = make_archive(scratch, rows, months)
        size = sum(path.stat().st_size for path in archive.files)
        _read_through(archive)
        limits = (settings.memory_limit, str(settings.threads))
        floor = _bare("pass", archive, scratch / "floor.duckdb", limits)
        bare = _bare("keep", archive, scratch / "bare.duckdb", limits)
        ours = _ours(archive, scratch)
        differences = _differences(scratch)
        console.print(_results(archive, size, floor, bare, ours))
        console.print(f"Steps of ours: {_steps(ours)}")
        console.print(f"Ratio to the bare engine: {ours['seconds'] / bare['seconds']:.2f} "
                      f"(to the floor: {ours['seconds'] / floor['seconds']:.2f})")  # fmt: skip
        console.print(f"Cells of crime_monthly that differ: {differences}")
        console.print(f"Warm refresh of the sample: {_warm_refresh(scratch):.1f} s")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if differences:
        raise typer.Exit(1)


def _read_through(archive: Archive) -> None:
    """Read the files once, so that every side finds them in memory alike."""
    for path in archive.files:
        with path.open("rb") as handle:
            while handle.read(1 << 22):
                pass


def _measured(arguments: list[str], environment: dict[str, str]) -> dict[str, Any]:
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
    return _measured(
        ["-m", "orchestration.bench.bare", kind, str(archive.raw), str(database), *limits], {}
    )


def _ours(archive: Archive, scratch: Path) -> dict[str, Any]:
    environment = {
        "CSP_HOME": str(scratch / "var"),
        "CSP_RAW": str(archive.raw),
        "CSP_PARTNERSHIPS": str(archive.partnerships),
        "CSP_FIRST_QUARTER": "2013-01-01",
    }
    subprocess.run(
        [sys.executable, "-m", "orchestration.cli", "prepare"],
        env={**os.environ, **environment}, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return _measured(["-m", "orchestration.bench.ours", archive.quarter.isoformat()], environment)


def _differences(scratch: Path) -> int:
    with duckdb.connect() as connection:
        ours = scratch / "var" / "warehouse.duckdb"
        connection.execute(_SAME.format(ours=ours, bare=scratch / "bare.duckdb"))
        ((count,),) = connection.execute(_DIFFERENCES).fetchall()
    return int(count)


def _results(
    archive: Archive, size: int, floor: dict[str, Any], bare: dict[str, Any], ours: dict[str, Any]
) -> Table:
    table = Table(
        "What", "Seconds", "Rows a second", "Peak MiB",
        title=f"{archive.rows:,} rows, {len(archive.files)} files, {size / 1e9:.1f} GB",
    )  # fmt: skip
    for name, measured in (
        ("Floor: bare DuckDB, files to marts, no row kept", floor),
        ("Bare DuckDB: all rows loaded, then the marts", bare),
        ("CSP Warehouse: landing zone to tested marts", ours),
    ):
        table.add_row(
            name, f"{measured['seconds']:.1f}", f"{archive.rows / measured['seconds']:,.0f}",
            f"{measured['peak_mib']:,.0f}",
        )  # fmt: skip
    return table


def _steps(ours: dict[str, Any]) -> str:
    named = {name: value for name, value in ours.items() if name not in {"seconds", "peak_mib"}}
    return ", ".join(f"{name} {value:.1f} s" for name, value in named.items())


def _warm_refresh(scratch: Path) -> float:
    """Refresh the committed sample twice and time the second."""
    environment = {"CSP_HOME": str(scratch / "sample"), "CSP_RAW": str(PROJECT / "raw")}
    for _ in range(2):
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "orchestration.cli", "refresh"],
            env={**os.environ, **environment}, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    return time.perf_counter() - started


if __name__ == "__main__":
    typer.run(bench)
