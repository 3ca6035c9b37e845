"""Whatever a file holds, it ends loaded or refused by its name, within its memory and time.

Good files of every source and format are damaged without mercy. A longer campaign:
``CSP_FUZZ_EXAMPLES=2000 pytest tests/test_fuzz_readers.py -m slow -s`` prints how many files of
each kind were read, and how many of them were refused.
"""

import functools
import gzip
import io
import os
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.config.settings import PROJECT
from orchestration.ingest.checking.contract import Contract, contract_of, load_contracts
from orchestration.ingest.checking.delivery_check import check_in
from orchestration.ingest.checking.faults import Fault, SubmissionError
from orchestration.ingest.checking.rule_codes import OWN, code_of
from orchestration.ingest.landing.landing_zone import landed_file
from orchestration.ingest.reading.isolated_reading import read_isolated
from tests.corpus.good import WRITERS, good_deliveries
from tests.fuzzing.mutations import mutated

_EXAMPLES = int(os.environ.get("CSP_FUZZ_EXAMPLES", "4"))
_QUICK_EXAMPLES = 12
_LINES = 6
_SECONDS = 20
"""Longest that one small file may take, on a busy machine."""

_KINDS = ("csv", "ods", "xls", "xlsx")


@dataclass(frozen=True)
class Seed:
    """A good file to damage; its kind may be another than its name says."""

    contract: Contract
    name: str
    kind: str
    content: bytes


@functools.cache
def seeds() -> dict[str, Seed]:
    """Return a small good file of every source, of each format that its reader may meet."""
    found = {}
    for good in good_deliveries():
        short = {
            name: grid[: _LINES + (good.header + 1 if name == good.sheet else _LINES)]
            for name, grid in good.sheets.items()
        }
        for kind in ("csv",) if good.kind == "csv" else ("ods", "xls", "xlsx"):
            content = WRITERS[kind](short)
            found[f"{good.source}.{kind}"] = Seed(good.contract, good.name, kind, content)
    (shapes,) = sorted((PROJECT / "raw/area_lookups").rglob("*.geojson"))[:1]
    lookups = contract_of("area_lookups")
    text = shapes.read_text()
    found["area_lookups.geojson"] = Seed(lookups, "a.geojson", "geojson", text.encode())
    cohort = found["iom_cohort.csv"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(cohort.name, cohort.content)
    found["iom_cohort.zip"] = Seed(cohort.contract, "a.zip", "zip", packed.getvalue())
    unpacked = gzip.compress(cohort.content)
    found["iom_cohort.gz"] = Seed(cohort.contract, f"{cohort.name}.gz", "gz", unpacked)
    return found


def seed_names() -> list[str]:
    """Return the names of the seeds, without making them."""
    formats = {
        "area_lookups": ("csv", "geojson"),
        "deprivation_indices": ("csv",),
        "police_uk_stop_and_search": ("csv",),
        "population_by_age": ("csv",),
        "iom_cohort": ("csv", "gz", "zip"),
        "population_estimates": _KINDS,
    }
    workbooks = ("ods", "xls", "xlsx")
    return [
        f"{name}.{kind}"
        for name, contract in load_contracts().items()
        for kind in formats.get(name, workbooks if contract.layout == "reader" else ("csv",))
    ]


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "512MiB"}) as connection:
        yield connection


@pytest.fixture(scope="module")
def counted() -> Iterator[Counter[str]]:
    made: Counter[str] = Counter()
    yield made
    for name, count in sorted(made.items()):
        print(f"{name:40}{count:8,}")


def emptied(connection: duckdb.DuckDBPyConnection) -> None:
    tables = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where not temporary"
    ).fetchall()
    connection.execute("".join(f"delete from {table};" for (table,) in tables) or "select 1")


def judged(faults: tuple[Fault, ...] | list[Fault], name: str) -> None:
    """Every fault names the file, by a rule that has a code, in text that can be written."""
    assert faults
    for fault in faults:
        assert (fault.file or "").startswith((name, "file 1 (a name of ")), fault
        assert code_of(fault.rule) != OWN or fault.severity != "submission", fault
        str(fault).encode()


def test_every_source_has_a_file_to_damage() -> None:
    assert set(seed_names()) == set(seeds())


@settings(
    max_examples=_QUICK_EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(name=st.sampled_from(seed_names()), random=st.randoms(use_true_random=False))
def test_a_damaged_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, random: Random
) -> None:
    seed = seeds()[name]
    if seed.contract.layout == "csv" or seed.kind in ("zip", "gz"):
        return
    path = tmp_path_factory.mktemp("fuzz") / seed.name
    path.write_bytes(mutated(seed.content, seed.kind, random))
    try:
        read_isolated(landed_file(path, path.name, {}), seed.contract, path.parent, 256 << 20)
    except SubmissionError as error:
        judged(error.faults, seed.name)


@pytest.mark.slow
@pytest.mark.parametrize("name", seed_names())
def test_a_damaged_delivery_is_loaded_or_refused(
    name: str,
    tmp_path: Path,
    engine: duckdb.DuckDBPyConnection,
    counted: Counter[str],
) -> None:
    seed = seeds()[name]

    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        derandomize="CSP_FUZZ_EXAMPLES" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )
    @given(random=st.randoms(use_true_random=False))
    def ends_well(random: Random) -> None:
        path = tmp_path / seed.name
        path.write_bytes(mutated(seed.content, seed.kind, random))
        emptied(engine)
        started = time.monotonic()
        outcome = check_in(engine, seed.contract, [path])
        assert time.monotonic() - started < _SECONDS
        counted[f"{name}, {outcome.state}"] += 1
        if outcome.state == "refused":
            judged(outcome.faults, seed.name)
        assert outcome.rows_delivered == outcome.rows_loaded + outcome.rows_refused

    ends_well()


@pytest.mark.slow
def test_the_undamaged_files_are_loaded(tmp_path: Path, engine: duckdb.DuckDBPyConnection) -> None:
    for name, seed in seeds().items():
        (tmp_path / seed.name).write_bytes(seed.content)
        emptied(engine)
        outcome = check_in(engine, seed.contract, [tmp_path / seed.name])
        # The writer of the other formats has no cells of days.
        assert outcome.state == "loaded" or not seed.name.endswith(seed.kind), (name, outcome)
