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
from orchestration.warehouse.connection import connect, writer_lock
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
    if not settings.warehouse.exists():
        raise PurgeError("There is no warehouse yet, so there is nothing to purge.")
    with writer_lock(settings.home, "A purge", settings.lock_wait_seconds):
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
    bytes_before = settings.warehouse.stat().st_size
    purged = purge(settings, contracts, before, now, remove if landing else None)
    _list(purged.deliveries, console)
    if purged.deliveries:
        console.print(
            f"Purged. The warehouse was rewritten ({bytes_before:,} bytes before, "
            f"{settings.warehouse.stat().st_size:,} now) and searched: none of the rows and none "
            f"of {purged.pseudonyms:,} pseudonyms is left in it. `csp refresh` builds the marts "
            "again."
        )
    for copy in copies_of(settings):
        console.print(f"A copy from before, to be deleted: {copy}", soft_wrap=True)
    for what, path in untouched(settings):
        console.print(
            f"Not purged: {what} may quote a row. Stop the services of the warehouse and delete "
            f"{path}; the next refresh makes it again.",
            soft_wrap=True,
        )


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
