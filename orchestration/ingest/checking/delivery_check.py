"""Checks files before they are landed: the checks of a load, in a temporary database.

Needs no warehouse and no landing zone. Whether the same files were delivered for another quarter
is the one rule that only a load can apply.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb

from orchestration.config.partnerships import load_partnerships
from orchestration.config.settings import Settings
from orchestration.errors import LandingError, SettingsError, readable
from orchestration.ingest.checking.configured_values import with_configured_values
from orchestration.ingest.checking.contract import Contract, load_contracts
from orchestration.ingest.checking.headings import heading_key
from orchestration.ingest.landing.handover import not_a_file
from orchestration.ingest.landing.landing_zone import NO_QUARTER, Delivery, landed_file
from orchestration.ingest.loading.load import check_delivery
from orchestration.ingest.loading.outcomes import Outcome
from orchestration.warehouse.control_schema import ensure_control
from orchestration.warehouse.progress_bar import without_progress_bar
from orchestration.warehouse.scratch import engine_config, scratch_under

_LONGEST = 65_536
"""Characters of a first line that are read in search of headings."""


def check(settings: Settings, contract: Contract, paths: Sequence[Path]) -> Outcome:
    """Return how a delivery of ``paths`` would fare in a load.

    Raises :class:`LandingError` where a file cannot be read or two have the same name.
    """
    names = [path.name for path in paths]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise LandingError(f"Two files are called {readable(twice[0])}. Rename one of them.")
    if folders := [path for path in paths if path.is_dir() or not path.exists()]:
        raise LandingError(not_a_file(folders[0]))
    with _database(settings, contract) as connection:
        return check_in(connection, contract, paths)


def check_landed(settings: Settings, contract: Contract, delivery: Delivery) -> Outcome:
    """Return how a delivery of the landing zone would fare in a load, all its files together."""
    now = datetime.combine(delivery.quarter, datetime.min.time())
    with _database(settings, contract) as connection:
        return check_delivery(connection, contract, delivery, now)


@contextmanager
def _database(settings: Settings, contract: Contract) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a temporary database that knows the partnerships."""
    with (
        scratch_under(settings.home) as scratch,
        duckdb.connect(":memory:", config=engine_config(settings, scratch)) as connection,
    ):
        without_progress_bar(connection)
        _load_partnerships(connection, settings, contract)
        yield connection


def source_of_columns(contract: Contract, paths: Iterable[Path]) -> str | None:
    """Return the other source whose columns a CSV file has, where the delivery is of the wrong one.

    None where no file has every column of another source, or one has those of ``contract``.
    """
    for path in paths:
        found = _headings(path)
        fitting = {
            name: len(wanted)
            for name, other in load_contracts().items()
            if (wanted := {heading_key(heading) for heading in other.by_header}) and wanted <= found
        }
        if fitting and contract.source not in fitting:
            return max(fitting, key=lambda name: fitting[name])
    return None


def _headings(path: Path) -> set[str]:
    """Return the headings in the first line of a CSV file; none of what cannot be read as one."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return {heading_key(cell) for cell in next(csv.reader([stream.readline(_LONGEST)]), [])}
    except (OSError, UnicodeError, csv.Error):
        return set()


def configured_contract(settings: Settings, contract: Contract) -> Contract:
    """Return a contract with what the partnerships file adds to it, as :func:`check` uses it.

    Raises :class:`SettingsError` where that cannot be read and the source needs it.
    """
    with duckdb.connect(":memory:", config={"temp_directory": ""}) as connection:
        _load_partnerships(connection, settings, contract)
        return with_configured_values(connection, contract)


def _load_partnerships(
    connection: duckdb.DuckDBPyConnection, settings: Settings, contract: Contract
) -> None:
    ensure_control(connection)
    try:
        load_partnerships(connection, settings.partnerships)
    except SettingsError:
        # For other sources it only gives messages the names that they may show.
        if any(column.listed for column in contract.columns):
            raise


def check_in(
    connection: duckdb.DuckDBPyConnection, contract: Contract, paths: Sequence[Path]
) -> Outcome:
    """Do what :func:`check` does in an empty database that is open already."""
    try:
        files = tuple(landed_file(path.absolute(), path.name, {}) for path in sorted(paths))
    except OSError as error:
        raise LandingError(
            f"{readable(str(error.filename))} cannot be read ({error.strerror}). Check the path."
        ) from error
    delivery = Delivery(contract.source, NO_QUARTER, Path(), files, None)
    now = datetime.combine(NO_QUARTER, datetime.min.time())
    return check_delivery(connection, contract, delivery, now)
