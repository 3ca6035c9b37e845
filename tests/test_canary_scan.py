"""Canaries planted in every source about people are nowhere outside the restricted side."""

import gzip
import io
import itertools
import os
import shutil
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.config.settings import PROJECT, Settings
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.checking.supplier_report import report_rows
from orchestration.ingest.loading.load import load_source
from orchestration.ingest.loading.pseudonyms import throwaway_pseudonyms
from orchestration.warehouse.connection import connect
from tests.canaries import MARKS, SURNAME, canaries, found_in, squeezed
from tests.planting import planted, planted_above
from tests.support import NOW, Ground, refresh

CONTRACTS = load_contracts()
PEOPLE = [name for name, one in CONTRACTS.items() if one.about_people]
ROUNDS = int(os.environ.get("CANARY_ROUNDS", "1"))
"""How many files of each source are planted; each takes the next canaries for its columns."""

# What keeps the suppliers' own names and notes, for csp trace and csp history.
RESTRICTED = {"files", "landing_index", "deliveries", "coverage", "series"}


def first_file(source: str) -> Path:
    folder = max((PROJECT / "raw" / source).glob("20*"))
    return min(path for path in folder.iterdir() if path.name != "delivery.json")


def everything_said(ground: Ground, source: str) -> tuple[list[str], int]:
    """Load; return all that is said of it, and how many rows were loaded."""
    contract = CONTRACTS[source]
    with connect(ground.settings) as connection:
        report = load_source(
            connection, ground.settings.raw, contract, date(2018, 10, 1), NOW,
            throwaway_pseudonyms(), ground.settings.supplier_reports,
        )  # fmt: skip
    said = [str(warning) for warning in report.warnings]
    for outcome in report.outcomes:
        said += [str(fault) for fault in (*outcome.faults, *outcome.warnings)]
        said += [" ".join(map(str, row)) for row in report_rows(contract, outcome)]
        said.append(outcome.reason or "")
    said += [str(row) for row in ground.query("select * from quarantine.refused_rows")]
    for file in ground.settings.supplier_reports.rglob("*"):
        if file.is_file():
            said += [text.decode(errors="replace") for _, text in unpacked(file.name, file)]
    return said, report.total("rows_loaded")


def unpacked(name: str, path: Path) -> Iterator[tuple[str, bytes]]:
    """A file's bytes, and those of what it holds."""
    yield from _unpacked(name, path.read_bytes())


def _unpacked(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    yield name, data
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as container:
            for member in container.namelist():
                yield f"{name}:{member}", member.encode()
                yield from _unpacked(f"{name}:{member}", container.read(member))
    elif data.startswith(b"\x1f\x8b"):
        yield f"{name}:content", gzip.decompress(data)


@pytest.mark.slow
@pytest.mark.parametrize("source", PEOPLE)
def test_nothing_that_is_said_of_a_delivery_holds_a_canary(source: str, ground: Ground) -> None:
    taken = itertools.cycle(canaries())
    for _ in range(7 * PEOPLE.index(source)):
        next(taken)
    places = 0
    for number in range(ROUNDS):
        file = first_file(source)
        files = [planted(file, CONTRACTS[source], taken)]
        if file.suffix != ".csv":
            files.append(planted_above(file, next(taken)))
        for one in files:
            shutil.rmtree(ground.settings.raw / source, ignore_errors=True)
            ground.put(source, "2018-10-01", {one.name: one.content})
            said, _ = everything_said(ground, source)
            assert len(said) > 1, (source, number)
            leaks = [(text[:200], found_in(text)) for text in said if found_in(text)]
            assert not leaks, leaks[:3]
            places += len(one.places)
    assert places >= len([one for one in CONTRACTS[source].columns if one.header])


@pytest.mark.slow
@pytest.mark.campaign
def test_a_release_with_planted_canaries_shows_none(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "var", raw=tmp_path / "raw")
    shutil.copytree(PROJECT / "raw", settings.raw)
    taken = itertools.cycle(canaries())
    count = 0
    for source in PEOPLE:
        contract = CONTRACTS[source]
        folder = settings.raw / source / first_file(source).parent.name
        (folder / "delivery.json").unlink()
        for file in sorted(folder.iterdir()):
            rows = file.read_bytes().count(b"\n") if file.suffix == ".csv" else 90
            one = planted(file, contract, taken, int(contract.refused_share_limit * rows))
            file.unlink()
            (folder / one.name).write_bytes(one.content)
            count += len(one.places)
    done = refresh(settings.home, settings.raw, "2018-10-01")
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert found_in(said) == []
    places = {
        str(path.relative_to(settings.home)): path
        for path in settings.home.rglob("*")
        if path.is_file() and path != settings.warehouse
    }
    assert any(name.startswith("dagster/history") for name in places)
    assert any(name.startswith("exports/") for name in places)
    leaks = [
        (name, hits)
        for place, path in places.items()
        for name, data in unpacked(place, path)
        if (hits := bytes_found(data))
    ]
    assert not leaks, leaks[:5]
    for path in settings.published.rglob("*.duckdb"):
        assert not [hit for hit in values_with_a_canary(path)]
    assert planted_in_warehouse(settings) > 0
    print(f"canaries planted: {count}; files scanned: {len(places)}")
    assert count > 80


def bytes_found(data: bytes) -> list[str]:
    text = data.decode("utf-8", "replace")
    if not any(mark in text.casefold() for mark in ("zwetschk", "9933", "991", "1971", "quirin")):
        return []
    # Checksums and pseudonyms are of digits and letters, among which anything may come.
    strong = [SURNAME.casefold(), "quirin", "20169912399q", "x993312", "n9933127", "cf9933127",
              "35nom993312", "a9331zx", "qq993312c", "07700900993", "19710923"]  # fmt: skip
    return [mark for mark in found_in(text) if mark in strong]


def values_with_a_canary(path: Path) -> list[str]:
    """Every text of a database that holds a canary, read by DuckDB itself."""
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables()"
        ).fetchall()
        texts: set[str] = set()
        for schema, table in tables:
            columns = connection.execute(
                "select column_name from duckdb_columns() where schema_name = ? and table_name = ?",
                [schema, table],
            ).fetchall()
            for (column,) in columns:
                rows = connection.execute(
                    f'select distinct "{column}"::varchar from "{schema}"."{table}"'
                ).fetchall()
                texts |= {str(value) for (value,) in rows if value}
    hexadecimal = {text for text in texts if len(text) == 64 and " " not in text}
    return [text[:100] for text in texts - hexadecimal if strong_in(text)]


def strong_in(text: str) -> bool:
    seen = squeezed(text)
    return any(mark in seen for mark in MARKS if len(mark) > 6)


def planted_in_warehouse(settings: Settings) -> int:
    """The restricted side has the files by their real names, so that a row can be traced."""
    with connect(settings, read_only=True) as connection:
        names = connection.execute("select file_name from control.files").fetchall()
    return sum(bool(found_in(str(name))) for (name,) in names)
