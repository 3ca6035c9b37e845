"""Retention: rows about persons whose period is over leave the warehouse, provably.

A contract with identifiers says for how many quarters its deliveries are kept. A purge removes the
rows of the deliveries of earlier quarters from the raw and quarantine tables, and everything that
was built from them (``purging``). The journal lists it, so that a fault or an older backup does not
undo it (``purge_journal``). What a delivery was (files, checksums, counts) stays on record, with
the day of the purge. Published releases are not touched: they hold no person.
"""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import duckdb

from orchestration.config.quarters import quarters_before
from orchestration.config.settings import Settings
from orchestration.warehouse.backup import backups
from orchestration.warehouse.connection import connect
from orchestration.warehouse.control_schema import ensure_control
from orchestration.warehouse.purge_journal import PurgedDelivery, PurgeEntry, PurgeJournal
from orchestration.warehouse.purged_rows import deliveries_where
from orchestration.warehouse.purging import Purged, Remove, finish
from orchestration.warehouse.source_table import SourceTable

_UNTOUCHED = {
    "dagster/history": "Dagster's record of earlier runs",
    "dagster/storage": "Dagster's logs of earlier runs",
    "dbt/logs": "dbt's logs of earlier runs",
}
"""What a purge does not clean: other programs may have it open."""


def kept_deliveries(
    connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, SourceTable], before: date
) -> list[PurgedDelivery]:
    """Return the deliveries of quarters earlier than ``before`` that still hold rows of persons.

    Refused deliveries are among them: their reasons are in quarantine.
    """
    found = deliveries_where(
        connection,
        "quarter < ? and source in (select unnest(?)) "
        "and delivery_id not in (select delivery_id from control.purges)",
        [before, _sources(contracts)],
    )
    return [one for one, _ in found]


def past_their_period(
    connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, SourceTable]
) -> list[PurgedDelivery]:
    """Return the deliveries that are kept for longer than their contracts say.

    Counted back from the latest quarter of any delivery, so that it does not depend on the day.
    """
    ((latest,),) = connection.execute("select max(quarter) from control.deliveries").fetchall()
    if latest is None:
        return []
    return [
        one
        for name in _sources(contracts)
        for one in kept_deliveries(
            connection,
            {name: contracts[name]},
            quarters_before(latest, contracts[name].retention_quarters or 0),
        )
    ]


def landed_before(raw: Path, contracts: Mapping[str, SourceTable], before: date) -> list[Path]:
    """Return the folders of the landing zone that hold persons of earlier quarters."""
    folders = []
    for name in _sources(contracts):
        for folder in [
            *(raw / name).glob("*-*-*"),
            *(raw / name).glob(".superseded/*-*-*"),
            *(raw / name).glob(".ready/*-*-*"),
        ]:
            if folder.name[:10] < before.isoformat():
                folders.append(folder)
    return sorted(folders)


def copies_of(settings: Settings) -> list[Path]:
    """Return the copies of the warehouse under the home: backups, replaced files, and the file
    from before the warehouse was a lake.

    Copies on other machines are unknown here.
    """
    replaced = sorted(settings.home.glob("warehouse-*.duckdb"))
    migrated = [settings.warehouse] if settings.on_lake and settings.warehouse.exists() else []
    return [*backups(settings), *replaced, *migrated]


def untouched(settings: Settings) -> list[tuple[str, Path]]:
    """Return what under the home a purge does not clean, where it exists: what it is, and where."""
    found = ((what, settings.home / place) for place, what in _UNTOUCHED.items())
    return [(what, path) for what, path in found if path.exists()]


def purge(
    settings: Settings,
    contracts: Mapping[str, SourceTable],
    before: date,
    now: datetime,
    remove: Remove | None = None,
) -> Purged:
    """Remove every row about a person of the deliveries of quarters earlier than ``before``.

    ``remove`` deletes a folder of the landing zone; with it, what was delivered goes as well. The
    caller holds the writer's lock and has settled earlier purges. Raises what
    :func:`~orchestration.warehouse.purging.finish` does.
    """
    with connect(settings) as connection:
        ensure_control(connection)
        deliveries = kept_deliveries(connection, contracts, before)
    landed = landed_before(settings.raw, contracts, before) if remove else []
    if not deliveries and not landed:
        return Purged((), 0)
    entry = PurgeEntry(
        before=before,
        begun_at=now,
        deliveries=tuple(deliveries),
        landed=tuple(folder.relative_to(settings.raw).as_posix() for folder in landed),
        pseudonyms=None if deliveries else 0,
    )
    PurgeJournal.read(settings).with_entry(entry).write(settings)
    return finish(settings, entry, now, remove or _nothing)


def _nothing(_: Path) -> None:
    """Delete nothing: this purge leaves the landing zone alone."""


def _sources(contracts: Mapping[str, SourceTable]) -> list[str]:
    return [name for name, contract in contracts.items() if contract.retention_quarters]
