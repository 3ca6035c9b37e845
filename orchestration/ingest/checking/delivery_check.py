"""Checks files before they are landed: the checks of a load, in a temporary database.

Needs no warehouse and no landing zone. Whether the same files were delivered for another quarter
is the one rule that only a load can apply.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import duckdb

from orchestration.config.partnerships import load_partnerships
from orchestration.config.settings import Settings
from orchestration.errors import LandingError, SettingsError, readable
from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.landing.landing_zone import NO_QUARTER, Delivery, landed_file
from orchestration.ingest.loading.load import check_delivery
from orchestration.ingest.loading.outcomes import Outcome
from orchestration.warehouse.control_schema import ensure_control
from orchestration.warehouse.scratch import engine_config, scratch_under


def check(settings: Settings, contract: Contract, paths: Sequence[Path]) -> Outcome:
    """Return how a delivery of ``paths`` would fare in a load.

    Raises :class:`LandingError` where a file cannot be read or two have the same name.
    """
    names = [path.name for path in paths]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise LandingError(f"Two files are called {readable(twice[0])}. Rename one of them.")
    with (
        scratch_under(settings.home) as scratch,
        duckdb.connect(":memory:", config=engine_config(settings, scratch)) as connection,
    ):
        ensure_control(connection)
        # A message may show the names that the partnerships file has; it need not be there.
        with suppress(SettingsError):
            load_partnerships(connection, settings.partnerships)
        return check_in(connection, contract, paths)


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
