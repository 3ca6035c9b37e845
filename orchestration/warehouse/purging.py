"""Purges rows from a database file: builds a new file without them, proves it, and swaps the files.

The old file is not changed. The new one is made from the rows that stay, so that none of its pages
ever held the others. Two searches come before the swap. One reads every value of every table
through DuckDB. The other reads the bytes of a copy without compression, which would hide them; an
encrypted warehouse has no such copy, which would be readable by everybody with the disk.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from mmap import ACCESS_READ, mmap
from pathlib import Path

import duckdb

from orchestration.config.settings import Settings
from orchestration.errors import PurgeError, StorageError, WarehouseBusyError
from orchestration.warehouse.atomic_file import SCRATCH_PREFIX, remove_leftovers, sync
from orchestration.warehouse.connection import (
    CATALOGUE,
    attach,
    connect,
    log_beside,
    warehouse_exists,
)
from orchestration.warehouse.control_schema import ensure_control
from orchestration.warehouse.lake_purging import rewrite_lake
from orchestration.warehouse.purge_journal import PurgedDelivery, PurgeEntry, PurgeJournal
from orchestration.warehouse.purged_rows import (
    DELIVERY_COLUMNS,
    KEPT_SCHEMAS,
    comment_statements,
    deliveries_where,
    held_deliveries,
    kept_tables,
    listed,
    pseudonyms_of,
    pseudonyms_within,
    rows_left,
    shown,
    stays,
    values_found,
)
from orchestration.warehouse.sql_quoting import qualified

Remove = Callable[[Path], None]
"""Deletes a delivery's folder in the landing zone."""

_NEW = "purging"


@dataclass(frozen=True)
class Purged:
    """What a purge removed, and how many pseudonyms the new file was searched for."""

    deliveries: tuple[PurgedDelivery, ...]
    pseudonyms: int


# --- finishing, and applying again -------------------------------------------------------------


def finish(settings: Settings, entry: PurgeEntry, now: datetime, remove: Remove) -> Purged:
    """Do what is left of a purge that the journal lists; the caller holds the writer's lock.

    Raises :class:`PurgeError` where it cannot be finished now, or the new file still holds a purged
    value; the old file is then kept.
    """
    try:
        if warehouse_exists(settings) and _rows_are_left(settings, entry):
            entry = _rewrite(settings, settings.warehouse, entry, now, _enter(settings))
        _tidy(settings, entry, remove)
        entry = entry.model_copy(update={"done_at": now, "pseudonyms": entry.pseudonyms or 0})
        _enter(settings)(entry)
    except (StorageError, OSError) as error:
        reason = str(error).partition(" The published releases")[0].rstrip(".")
        raise PurgeError(
            f"The purge of deliveries before {entry.before} is not finished: {reason}. Make room "
            f"on the disk, or give the permission. Then run `csp purge --before {entry.before}` or "
            "refresh: both finish it. Until then, do not rely on anything as purged."
        ) from error
    return Purged(entry.deliveries, entry.pseudonyms or 0)


def settle_purges(
    settings: Settings, say: Callable[[str], None], now: datetime, remove: Remove
) -> None:
    """Finish purges that were cut short, and purge again what has come back since.

    Purges of the warehouse that the journal does not list are entered, and proven by rewriting the
    file. Purged deliveries that the warehouse does not know are entered there, so that they are not
    loaded again from the landing zone. ``say`` receives a message on what was done. The caller
    holds the writer's lock. Raises what :func:`finish` does.
    """
    journal = PurgeJournal.read(settings)
    try:
        journal = _with_unlisted(settings, journal)
        for entry in journal.unfinished:
            finish(settings, entry, now, remove)
            say(f"The purge of deliveries before {entry.before} was cut short. It was finished.")
        if again := reapply(settings, settings.warehouse, now):
            say(purged_again(again))
        _note_unknown(settings, now)
    except WarehouseBusyError:
        # Open in another program: a step will say so, and wait where nobody watches.
        return


def reapply(settings: Settings, file: Path, now: datetime) -> tuple[PurgedDelivery, ...]:
    """Purge from ``file``, a copy of the warehouse, what was purged before; return what came back.

    Raises :class:`PurgeError` where the journal cannot be read or the file still holds purged
    values, and what opening the file raises.
    """
    journal = PurgeJournal.read(settings)
    if not journal.purges or not (settings.on_lake or file.exists()):
        return ()
    if settings.on_lake and not warehouse_exists(settings):
        return ()
    again: list[PurgedDelivery] = []
    for entry in journal.purges:
        with connect(settings, at=None if settings.on_lake else file) as connection:
            ensure_control(connection)
            found = [
                one for one, number, purged in held_deliveries(connection, entry) if not purged
            ]
        if found:
            _rewrite(settings, file, entry, now, lambda _: None)
            again += found
    return tuple(again)


def purged_again(deliveries: Sequence[PurgedDelivery]) -> str:
    """Return the sentence on deliveries that a backup had brought back."""
    rows = sum(one.rows_loaded for one in deliveries)
    return (
        f"{len(deliveries):,} purged deliveries ({rows:,} rows) were in the older copy of the "
        "warehouse. They were purged again."
    )


def _enter(settings: Settings) -> Callable[[PurgeEntry], None]:
    return lambda entry: PurgeJournal.read(settings).with_entry(entry).write(settings)


def _rows_are_left(settings: Settings, entry: PurgeEntry) -> bool:
    """Say whether the file is still to be rewritten; a proven one without the rows is not."""
    if entry.pseudonyms is None:
        return True
    with connect(settings) as connection:
        ensure_control(connection)
        return any(not purged for _, _, purged in held_deliveries(connection, entry))


def _tidy(settings: Settings, entry: PurgeEntry, remove: Remove) -> None:
    """Delete what else has rows of the deliveries: reports, leftovers, and what landed."""
    for one in entry.deliveries:
        reports = settings.supplier_reports / one.source / one.quarter.isoformat()
        if reports.exists():
            shutil.rmtree(reports)
    for root in (settings.home, settings.backups):
        remove_leftovers(root)
    for pattern in ("purging.duckdb*", ".unpacked-*", "warehouse.tmp/*"):
        for leftover in settings.home.glob(pattern):
            if leftover.is_dir():
                shutil.rmtree(leftover)
            else:
                leftover.unlink()
    for folder in entry.landed:
        remove(settings.raw / folder)


# --- what the warehouse knows of purged deliveries ----------------------------------------------


def _with_unlisted(settings: Settings, journal: PurgeJournal) -> PurgeJournal:
    """Return the journal with the purges that only the warehouse knows, entered as begun."""
    if not warehouse_exists(settings):
        return journal
    with connect(settings, read_only=True) as connection:
        made = connection.execute(
            "select 1 from duckdb_tables() where schema_name = 'control' "
            "and table_name = 'purges' and database_name = current_database()"
        ).fetchall()
        if not made:
            return journal
        known = connection.execute(
            "select purged_at, max(before_quarter), list(delivery_id) from control.purges "
            "group by all order by all"
        ).fetchall()
        for purged_at, before, numbers in known:
            found = deliveries_where(connection, f"delivery_id in ({listed(numbers)})")
            missing = journal.unlisted(one for one, _ in found)
            if missing:
                begun = PurgeEntry(before=before, begun_at=purged_at, deliveries=missing)
                journal = journal.with_entry(begun)
                journal.write(settings)
    return journal


def _note_unknown(settings: Settings, now: datetime) -> None:
    """Enter purged deliveries that the warehouse does not know, as purged and without rows."""
    journal = PurgeJournal.read(settings)
    if not journal.purges:
        return
    with connect(settings) as connection:
        ensure_control(connection)
        on_record = [one for one, _ in deliveries_where(connection, "true")]
        known = {one.identity for one in on_record}
        taken = {(one.source, one.quarter, one.version) for one in on_record}
        for one, entry in journal.deliveries.values():
            if one.identity in known or (one.source, one.quarter, one.version) in taken:
                continue
            names = ", ".join(f"${name}" for name in PurgedDelivery.model_fields)
            connection.execute(
                f"insert into control.deliveries (delivery_id, {DELIVERY_COLUMNS}) "
                f"select coalesce(max(delivery_id), 0) + 1, {names} from control.deliveries",
                one.model_dump(),
            )
            connection.execute(
                "insert into control.purges select max(delivery_id), $before, $now "
                "from control.deliveries",
                {"before": entry.before, "now": now},
            )


# --- the new file -------------------------------------------------------------------------------


def _rewrite(
    settings: Settings,
    file: Path,
    entry: PurgeEntry,
    now: datetime,
    proven: Callable[[PurgeEntry], None],
) -> PurgeEntry:
    """Replace ``file`` with a new one without the deliveries' rows, once that is proven.

    The warehouse of a lake is not a file: its tables are replaced instead.
    """
    if settings.on_lake:
        entry = rewrite_lake(settings, entry, now)
        proven(entry)
        return entry
    new = file.with_name(f"{SCRATCH_PREFIX}purged-{file.name.lstrip('.')}")
    plain = file.with_name(f"{SCRATCH_PREFIX}searched-{file.name.lstrip('.')}")
    scratch = [one for place in (new, plain) for one in (place, log_beside(place))]
    try:
        _delete(scratch)
        with connect(settings, at=file) as connection:
            ensure_control(connection)
            held = held_deliveries(connection, entry)
            numbers = listed(number for _, number, _ in held)
            gone, staying = pseudonyms_of(connection, numbers)
            attach(connection, new, _NEW, settings.warehouse_key, read_only=False)
            _copy_kept(connection, entry, [number for _, number, _ in held], now)
            connection.execute(f"checkpoint {_NEW}")
            connection.execute(f"detach {_NEW}")
        _prove(settings, new, plain, numbers, gone, staying)
        sync(new)
        entry = entry.model_copy(update={"pseudonyms": max(len(gone), entry.pseudonyms or 0)})
        proven(entry)
        log_beside(file).unlink(missing_ok=True)
        new.replace(file)
        sync(file.parent)
    finally:
        _delete(scratch)
    return entry


def _delete(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def _copy_kept(
    connection: duckdb.DuckDBPyConnection, entry: PurgeEntry, numbers: Sequence[int], now: datetime
) -> None:
    """Copy into the new file the rows that stay, and record the purge there."""
    tables = kept_tables(connection)
    comments = comment_statements(connection)
    connection.execute(f"use {_NEW}")
    for schema in KEPT_SCHEMAS:
        connection.execute(f'create schema if not exists "{schema}"')
    for table in tables:
        connection.execute(table.sql)
    for comment in comments:
        connection.execute(comment)
    connection.execute(f"use {CATALOGUE}")
    for table in tables:
        place = qualified(table.schema, table.name)
        connection.execute(
            f"insert into {_NEW}.{place} select {shown(table, numbers)} "
            f"from {CATALOGUE}.{place} where {stays(table, entry, numbers)}"
        )
    connection.execute(
        f"insert into {_NEW}.control.purges select number, ?, ? from (select unnest(?) as number) "
        f"where number not in (select delivery_id from {_NEW}.control.purges)",
        [entry.before, now, list(numbers)],
    )


# --- the proof ----------------------------------------------------------------------------------


def _prove(
    settings: Settings,
    new: Path,
    plain: Path,
    numbers: str,
    gone: set[bytes],
    staying: set[bytes],
) -> None:
    """Raise :class:`PurgeError` where the new file has a purged row, or pseudonym anywhere."""
    with connect(settings, read_only=True, at=new) as connection:
        left = rows_left(connection, numbers)
        found = set(values_found(connection, gone | staying))
        if settings.warehouse_key is None:
            connection.execute("set force_compression = 'uncompressed'")
            attach(connection, plain, "plain", None, read_only=False)
            connection.execute(f"copy from database {CATALOGUE} to plain")
            connection.execute("checkpoint plain")
            connection.execute("detach plain")
    _refuse(left + len(found & gone), staying - found)
    if settings.warehouse_key is None:
        found = set(_in_file(plain, gone | staying))
        _refuse(len(found & gone), staying - found)


def _refuse(left: int, unseen: set[bytes]) -> None:
    if left:
        raise PurgeError(
            f"The new file still holds {left:,} of the purged values; it was deleted and the old "
            "file was kept. Do not rely on anything as purged, and report this to the developers."
        )
    if unseen:
        raise PurgeError(
            f"The search of the new file did not find {len(unseen):,} pseudonyms that stay in it, "
            "so it proves nothing. The new file was deleted and the old one was kept. Report this "
            "to the developers."
        )


def _in_file(file: Path, wanted: set[bytes]) -> Iterator[bytes]:
    """Yield those of ``wanted`` that the bytes of a file hold."""
    with file.open("rb") as handle, mmap(handle.fileno(), 0, access=ACCESS_READ) as content:
        yield from pseudonyms_within(content, wanted)
