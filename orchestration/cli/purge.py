"""``csp purge``, and the lines of ``csp status`` on rows past their retention period."""

from datetime import UTC, date, datetime

import duckdb
from rich.console import Console

from orchestration.cli.console import styled
from orchestration.config.settings import Settings
from orchestration.errors import PurgeError
from orchestration.ingest.checking.contract import load_contracts
from orchestration.warehouse.connection import connect, writer_lock
from orchestration.warehouse.control_schema import ensure_control
from orchestration.warehouse.retention import (
    KeptDelivery,
    copies_of,
    kept_deliveries,
    landed_before,
    past_their_period,
    purge,
    remove_landed,
)


def run_purge(
    settings: Settings, before: date, console: Console, *, dry_run: bool, landing: bool
) -> None:
    """Purge what was delivered for quarters earlier than ``before``, and say what went.

    ``dry_run`` only lists it; ``landing`` deletes the delivered files too.
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
            now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
            purged = purge(settings, contracts, before, now)
            _list(purged.deliveries, console)
            console.print(
                f"Purged. The warehouse was rewritten ({purged.bytes_before:,} bytes before, "
                f"{purged.bytes_after:,} now) and searched: none of the rows and none of "
                f"{purged.pseudonyms:,} pseudonyms is left in it. `csp refresh` builds the marts "
                "again."
            )
            for copy in copies_of(settings):
                console.print(f"A copy from before, to be deleted: {copy}")
        folders = landed_before(settings.raw, contracts, before)
        if landing and not dry_run:
            remove_landed(folders)
        for folder in folders:
            said = "Deleted" if landing and not dry_run else "Still in the landing zone"
            console.print(f"{said}: {folder}")
        if folders and not landing:
            console.print(
                "These hold what the suppliers delivered, identifiers included. Delete them, or "
                "have them deleted with --landing."
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


def _list(deliveries: list[KeptDelivery] | tuple[KeptDelivery, ...], console: Console) -> None:
    if not deliveries:
        console.print("No delivery of an earlier quarter holds rows about persons.")
    for one in deliveries:
        console.print(str(one))
