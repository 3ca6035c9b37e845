"""BI readers: real clients, each in a process of its own, and readers while releases are published.

The clients live in an environment apart (`make clients`); without it these tests are skipped.
"""

import csv
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.config.settings import PROJECT, Settings
from orchestration.publish import PublishedTable, build_release, published_tables
from orchestration.transform.dbt_runner import load_manifest, published_nodes
from orchestration.transform.source_origins import sources_behind
from tests.support import Ground

pytestmark = pytest.mark.slow

CLIENTS = Path(__file__).parent / "clients"
PYTHON = PROJECT / ".venv-clients" / "bin" / "python"
OLDEST = PROJECT / ".venv-oldest" / "bin" / "python"
NODE = CLIENTS / "node_modules"
Catalogue = tuple[list[PublishedTable], frozenset[str]]
QUESTION = (
    "select month, offences from reports.figure_10_shoplifting where area_name = 'Fenland' "
    "order by month desc limit 12"
)


def need(path: Path) -> None:
    if not path.exists():
        pytest.skip(f"{path.relative_to(PROJECT)} is not there: `make clients` sets it up")


def answer(*command: object) -> list[list[Any]]:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def shoplifting() -> dict[str, int]:
    """Fenland's shoplifting by month, counted from the delivered files by their area names."""
    counted: Counter[str] = Counter()
    for path in sorted((PROJECT / "raw" / "police_uk_street").glob("*/*.csv")):
        if path.parent.name > "2018-04-01":
            continue
        with path.open(newline="", encoding="utf-8") as handle:
            for row in csv.DictReader(handle):
                fenland = row["LSOA name"].startswith("Fenland ")
                counted[f"{row['Month']}-01"] += fenland and row["Crime type"] == "Shoplifting"
    return dict(sorted(counted.items())[-12:])


@pytest.mark.parametrize(
    ("interpreter", "script"),
    [
        (PYTHON, "ask_duckdb.py"),
        (OLDEST, "ask_duckdb.py"),
        (PYTHON, "ask_sqlalchemy.py"),
        (Path("node"), "ask_node.mjs"),
    ],
    ids=["python", "oldest duckdb", "sqlalchemy, as superset", "node"],
)
def test_client_reads_the_published_database(
    sample: Ground, shoplifting: dict[str, int], interpreter: Path, script: str
):
    need(NODE if interpreter.name == "node" else interpreter)
    file = sample.settings.published / "csp.duckdb"
    rows = answer(interpreter, CLIENTS / script, file, QUESTION)
    assert {str(month): int(offences) for month, offences in rows} == shoplifting


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_library_reads_the_exported_parquet(
    sample: Ground, shoplifting: dict[str, int], library: str
):
    need(PYTHON)
    tables = sample.settings.exports / "2018-04-01" / "fenland" / "tables"
    rows = answer(
        PYTHON, CLIENTS / "ask_parquet.py", library, tables / "figure_10_shoplifting.parquet"
    )
    assert {str(month): int(offences) for month, offences in rows} == shoplifting


def test_oldest_duckdb_reads_every_table(sample: Ground):
    need(OLDEST)
    file = sample.settings.published / "csp.duckdb"
    with duckdb.connect(file, read_only=True) as connection:
        tables = connection.execute(
            "select table_schema || '.' || table_name, rows from main.published_tables order by 1"
        ).fetchall()
    counts = " union all ".join(f"select '{table}', count(*) from {table}" for table, _ in tables)
    rows = answer(OLDEST, CLIENTS / "ask_duckdb.py", file, f"{counts} order by 1")
    assert [tuple(row) for row in rows] == tables


def test_readers_never_meet_a_lock_or_a_mixed_answer(
    sample: Ground, tmp_path: Path, record_property, capsys
):
    """Eight readers ask on while six releases are published over what they read."""
    root, catalogue = tmp_path / "published", _catalogue(sample.settings)
    warehouse = Path(shutil.copy(sample.settings.warehouse, tmp_path / "warehouse.duckdb"))
    published = [_publish(warehouse, root, catalogue, 0)]
    idle = _read_for(root, tmp_path / "stop-idle", 1, lambda: None)

    def publish_six() -> None:
        published.extend(_publish(warehouse, root, catalogue, n) for n in range(1, 7))

    busy = _read_for(root, tmp_path / "stop", 8, publish_six)
    assert [reader["errors"] for reader in busy] == [[]] * 8
    assert len(set(published)) == 7
    met = {tuple(found) for reader in busy for found in reader["answers"]}
    assert met <= set(published), "an answer that no release gives"
    assert len(met) > 1, "the readers saw releases change"
    alone = statistics.median(idle[0]["seconds"])
    beside = statistics.median(second for reader in busy for second in reader["seconds"])
    record_property("latency_against_idle", beside / alone)
    with capsys.disabled():
        asked = sum(len(reader["seconds"]) for reader in busy)
        print(
            f"\n8 readers, 6 releases: {asked} questions, 0 errors; median {1000 * beside:.0f} ms "
            f"against {1000 * alone:.0f} ms for one reader with nobody publishing"
        )


def _catalogue(settings: Settings) -> Catalogue:
    manifest = load_manifest(settings)
    return published_tables(manifest), sources_behind(manifest, published_nodes(manifest))


def _publish(warehouse: Path, root: Path, catalogue: Catalogue, number: int) -> tuple[object, ...]:
    """Publish a release with a figure of its own; return what a consistent reader must see."""
    with duckdb.connect(warehouse) as connection:
        connection.execute(
            "update marts.social_housing_stock set dwellings = dwellings + 1 "
            "where area_name = 'Fenland' and tenure = 'all dwellings' "
            "and stock_date = (select max(stock_date) from marts.social_housing_stock)"
        )
    now = datetime(2018, 7, 16, tzinfo=UTC) + timedelta(minutes=number)
    tables, sources = catalogue
    release = build_release(
        warehouse, root, datetime(2018, 4, 1).date(), tables, now, sources=sources
    )
    assert release.changed
    with duckdb.connect(release.path, read_only=True) as connection:
        ((total, rows),) = connection.execute(
            "select sum(dwellings)::bigint, count(*) from marts.social_housing_stock"
        ).fetchall()
    return (release.content_digest, total, rows)


def _read_for(root: Path, stop: Path, readers: int, work: Callable[[], None]) -> list[dict]:
    """Run readers while ``work`` is done, and for a second before and after."""
    processes = [
        subprocess.Popen(
            [sys.executable, CLIENTS / "keep_reading.py", root / "csp.duckdb", stop],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(readers)
    ]
    try:
        time.sleep(1)
        work()
        time.sleep(1)
    finally:
        stop.touch()
    return [json.loads(process.communicate()[0]) for process in processes]
