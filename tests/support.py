"""Helpers of the tests: a small landing zone to play in, and files in the suppliers' layouts."""

import csv
import fcntl
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestration.config.partnerships import load_partnerships
from orchestration.config.quarters import quarter_of
from orchestration.config.settings import PROJECT, Settings
from orchestration.ingest.checking.contract import Contract, load_contracts
from orchestration.ingest.loading.in_force import resolve_in_force
from orchestration.ingest.loading.load import load_source
from orchestration.ingest.loading.outcomes import LoadReport
from orchestration.ingest.loading.pseudonyms import pseudonyms_for
from orchestration.warehouse.connection import connect
from orchestration.warehouse.control_schema import ensure_control

NOW = datetime(2018, 8, 1, 9, 0)
STREET_HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
    "Crime type,Last outcome category,Context"
)
FORCE = "Cambridgeshire Constabulary"
GOLDEN = Path(__file__).parent / "golden"
SAMPLE_QUARTERS = ("2018-04-01", "2018-07-01", "2018-10-01")
"""The last quarters of the sample; the assessment is of the first of them."""


@dataclass
class Ground:
    """A landing zone and a warehouse, loaded without Dagster."""

    settings: Settings

    def contract(self, source: str) -> Contract:
        return load_contracts()[source]

    def put(self, source: str, quarter: str, files: dict[str, str | bytes]) -> Path:
        """Drop files into the landing zone as a person would."""
        folder = self.settings.raw / source / quarter
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            (folder / name).write_bytes(data)
        return folder

    def load(self, source: str, as_at: str = "2018-04-01") -> LoadReport:
        contract = self.contract(source)
        with connect(self.settings) as connection:
            ensure_control(connection)
            load_partnerships(connection, self.settings.partnerships)
            return load_source(
                connection,
                self.settings.raw,
                contract,
                date.fromisoformat(as_at),
                NOW,
                pseudonyms_for(contract, self.settings, connection),
            )

    def resolve(self, as_at: str = "2018-04-01") -> None:
        with connect(self.settings) as connection:
            load_partnerships(connection, self.settings.partnerships)
            resolve_in_force(connection, date.fromisoformat(as_at))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with connect(self.settings, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def value(self, sql: str) -> Any:
        ((value,),) = self.query(sql)
        return value


def street_row(
    month: str = "2018-04", crime_type: str = "Shoplifting", number: int = 1, **other: str
) -> str:
    values = {
        "crime_id": f"{number:064x}" if crime_type != "Anti-social behaviour" else "",
        "month": month,
        "reported_by": FORCE,
        "falls_within": FORCE,
        "longitude": "0.151",
        "latitude": "52.662",
        "location": "On or near Synthetic Street",
        "lsoa_code": "E01018058",
        "lsoa_name": "Fenland 008A",
        "crime_type": crime_type,
        "outcome": "Under investigation",
        "context": "",
    }
    return ",".join((values | other).values())


def street_file(rows: Iterable[str], header: str = STREET_HEADER, end: str = "\r\n") -> str:
    return "".join(f"{line}{end}" for line in [header, *rows])


def month_file(month: str = "2018-04", rows: int = 10) -> str:
    return street_file(street_row(month, number=number) for number in range(1, rows + 1))


def messages(report: LoadReport) -> list[str]:
    return [str(fault) for outcome in report.outcomes for fault in outcome.faults]


def refresh(
    home: Path, raw: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run ``csp refresh`` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "orchestration.cli", "refresh", *arguments],
        env={
            **os.environ,
            "COLUMNS": "200",
            "CSP_HOME": str(home),
            "CSP_RAW": str(raw),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def land_real_extracts(real: Path, raw: Path) -> None:
    """Land the real public extracts, each for the quarter that it is of or arrived in."""
    streets: dict[date, list[Path]] = defaultdict(list)
    for path in sorted((real / "police_uk").glob("*-street.csv")):
        year, month = (int(part) for part in path.name.split("-")[:2])
        streets[quarter_of(date(year, month, 1))].append(path)
    for quarter, paths in streets.items():
        _copy(raw, "police_uk_street", quarter.isoformat(), paths)
    outcomes = sorted((real / "police_uk").glob("*-outcomes.csv"))
    _copy(raw, "police_uk_outcomes", "2024-01-01", outcomes)
    lookups = real / "lookups"
    _copy(raw, "area_lookups", "2018-10-01", sorted(lookups.glob("*.csv")))
    _copy(raw, "area_lookups", "2024-01-01", sorted(lookups.glob("lsoa2021_boundaries/*.geojson")))
    _copy(raw, "dwelling_stock", "2026-04-01", sorted((real / "housing").glob("*.ods")))
    _copy(raw, "population_estimates", "2020-04-01", sorted((real / "population").glob("*.xls")))
    research = raw / "population_estimates" / "2018-04-01"
    research.mkdir(parents=True)
    (research / "research-group-population-2016.csv").write_text(research_group_file())


def _copy(raw: Path, source: str, quarter: str, paths: Sequence[Path]) -> None:
    folder = raw / source / quarter
    folder.mkdir(parents=True)
    for path in paths:
        shutil.copy(path, folder)


def research_group_file() -> str:
    """The research group's populations, as Table 5 of the assessment prints them."""
    sample = PROJECT / "raw/population_estimates/2018-04-01/research-group-population-2016.csv"
    return sample.read_text()


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def made_once(
    tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]
) -> Path:
    """Make a folder once for all workers of a session."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    folder = shared / name
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            folder.mkdir()
            make(folder)
            (folder / "done").touch()
    return folder
