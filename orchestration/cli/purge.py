"""``csp purge``, and the lines of ``csp status`` on rows past their retention period."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
from rich.console import Console

from orchestration.cli.console import styled
from orchestration.config.settings import Settings
from orchestration.errors import PurgeError
from orchestration.ingest.checking.contract import Contract, load_contracts
from orchestration.ingest.landing.delivery_folder import recover_landings, remove_delivery
from orchestration.warehouse.connection import connect, warehouse_exists, warehouse_lock
from orchestration.warehouse.control_schema import ensure_control
from orchestration.warehouse.purge_journal import PurgedDelivery
from orchestration.warehouse.purging import settle_purges
from orchestration.warehouse.retention import (
    copies_of,
    kept_deliveries,
    landed_before,
    past_their_period,
    purge,
    untouched,
)


def run_purge(
    settings: Settings, before: date, console: Console, *, dry_run: bool, landing: bool
) -> None:
    """Purge what was delivered for quarters earlier than ``before``, and say what went.

    ``dry_run`` only lists it; ``landing`` deletes the delivered files too. A purge that was cut
    short is finished first.
    """
    contracts = load_contracts()
    if not warehouse_exists(settings):
        raise PurgeError("There is no warehouse yet, so there is nothing to purge.")
    with warehouse_lock(settings, "A purge", settings.lock_wait_seconds):
        if dry_run:
            with connect(settings) as connection:
                ensure_control(connection)
                _list(kept_deliveries(connection, contracts, before), console)
        else:
            _purge(settings, contracts, before, console, landing=landing)
        folders = landed_before(settings.raw, contracts, before)
    for folder in folders:
        console.print(f"Still in the landing zone: {folder}", soft_wrap=True)
    if folders:
        console.print(
            "These hold what the suppliers delivered, identifiers included. Delete them, or "
            "have them deleted with --landing."
        )


def _purge(
    settings: Settings,
    contracts: Mapping[str, Contract],
    before: date,
    console: Console,
    *,
    landing: bool,
) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)

    def remove(folder: Path) -> None:
        remove_delivery(folder)
        console.print(f"Deleted: {folder}", soft_wrap=True)

    for source in contracts:
        recover_landings(settings.raw / source)
    settle_purges(settings, console.print, now, remove)
    bytes_before = _size(settings)
    purged = purge(settings, contracts, before, now, remove if landing else None)
    _list(purged.deliveries, console)
    if purged.deliveries:
        sizes = f" ({bytes_before:,} bytes before, {_size(settings):,} now)" if bytes_before else ""
        console.print(
            f"Purged. The warehouse was rewritten{sizes} and searched: none of the rows and none "
            f"of {purged.pseudonyms:,} pseudonyms is left in it. `csp refresh` builds the marts "
            "again."
        )
        if settings.on_lake:
            console.print(
                "Copies of the lake (pg_dump and copied files) from before still have the rows, "
                "and so may PostgreSQL's own write-ahead log and unvacuumed pages: delete the "
                "copies, and run VACUUM FULL in its database (docs/scale.md)."
            )
    for copy in copies_of(settings):
        console.print(f"A copy from before, to be deleted: {copy}", soft_wrap=True)
    for what, path in untouched(settings):
        console.print(
            f"Not purged: {what} may quote a row. Stop the services of the warehouse and delete "
            f"{path}; the next refresh makes it again.",
            soft_wrap=True,
        )


def _size(settings: Settings) -> int:
    """Return the bytes of the warehouse's file; 0 of a lake, which has none."""
    return 0 if settings.on_lake else settings.warehouse.stat().st_size


def show_past_period(settings: Settings, console: Console) -> None:
    """Print which deliveries are kept for longer than their contracts say."""
    try:
        with connect(settings, read_only=True) as connection:
            past = past_their_period(connection, load_contracts())
    except duckdb.CatalogException:
        # A warehouse of a version that kept everything.
        return
    for one in past:
        console.print(styled("[yellow]Past its period:[/] {}: `csp purge --before QUARTER`.", one))


def _list(deliveries: Sequence[PurgedDelivery], console: Console) -> None:
    if not deliveries:
        console.print("No delivery of an earlier quarter holds rows about persons.")
    for one in deliveries:
        console.print(str(one))
