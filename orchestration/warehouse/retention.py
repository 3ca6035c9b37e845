"""Retention: rows about persons whose period is over leave the warehouse, provably.

A contract with identifiers says for how many quarters its deliveries are kept. A purge removes the
rows of the deliveries of earlier quarters from the raw and quarantine tables, everything that was
built from them, and then the old file itself: what stays is copied into a new one, which is
searched before it takes the old one's place. What a delivery was (files, checksums, counts) stays
on record, with the day of the purge. Published releases are not touched: they hold no person.
"""

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Literal

import duckdb

from orchestration.config.quarters import quarters_before
from orchestration.config.settings import Settings
from orchestration.errors import PurgeError
from orchestration.warehouse.atomic_file import sync
from orchestration.warehouse.backup import backups
from orchestration.warehouse.connection import CATALOGUE, attach, connect, log_beside
from orchestration.warehouse.control_schema import ensure_control
from orchestration.warehouse.source_table import SourceTable

_KEPT_SCHEMAS = ("raw", "quarantine", "control", "in_force")
_PSEUDONYM = re.compile(rb"[0-9a-f]{64}")


@dataclass(frozen=True)
class KeptDelivery:
    """A delivery with rows about persons in the warehouse, by its place in ``control``."""

    delivery_id: int
    source: str
    quarter: date
    version: int
    rows: int

    def __str__(self) -> str:
        return f"{self.source} {self.quarter} v{self.version} ({self.rows:,} rows)"


@dataclass(frozen=True)
class Purged:
    """What a purge removed, and how many pseudonyms the new file was searched for."""

    deliveries: tuple[KeptDelivery, ...]
    pseudonyms: int
    bytes_before: int
    bytes_after: int


def kept_deliveries(
    connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, SourceTable], before: date
) -> list[KeptDelivery]:
    """Return the deliveries of quarters earlier than ``before`` that still hold rows of persons.

    Refused deliveries are among them: their reasons are in quarantine.
    """
    rows = connection.execute(
        "select delivery_id, source, quarter, version, rows_loaded from control.deliveries "
        "where quarter < ? and source in (select unnest(?)) "
        "and delivery_id not in (select delivery_id from control.purges) "
        "order by source, quarter, version",
        [before, _sources(contracts)],
    ).fetchall()
    return [KeptDelivery(*row) for row in rows]


def past_their_period(
    connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, SourceTable]
) -> list[KeptDelivery]:
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
    """Return the copies of the warehouse under the home: backups, and replaced files.

    Copies on other machines are unknown here.
    """
    return [*backups(settings), *sorted(settings.home.glob("warehouse-*.duckdb"))]


def remove_landed(folders: Iterable[Path]) -> None:
    """Delete folders of the landing zone."""
    for folder in folders:
        shutil.rmtree(folder)


def purge(
    settings: Settings, contracts: Mapping[str, SourceTable], before: date, now: datetime
) -> Purged:
    """Remove every row about a person of the deliveries of quarters earlier than ``before``.

    The caller holds the writer's lock. A purge that was killed is ended by the next one. Raises
    :class:`PurgeError` where the new file still holds purged values; the old one is then
    kept.
    """
    bytes_before = settings.warehouse.stat().st_size
    with connect(settings) as connection:
        ensure_control(connection)
        deliveries = kept_deliveries(connection, contracts, before)
        leaving = _pseudonyms(connection, contracts, "in", deliveries)
        _remove(connection, contracts, deliveries, before, now)
        staying = _pseudonyms(connection, contracts, "not in", deliveries)
    gone = leaving - staying
    new = settings.warehouse.with_name("purging.duckdb")
    for leftover in (new, log_beside(new)):
        leftover.unlink(missing_ok=True)
    try:
        _copy(settings, new)
        _search(settings, new, gone, [one.delivery_id for one in deliveries])
        sync(new)
        log_beside(settings.warehouse).unlink(missing_ok=True)
        new.replace(settings.warehouse)
        sync(settings.warehouse.parent)
    finally:
        new.unlink(missing_ok=True)
    for one in deliveries:
        shutil.rmtree(
            settings.supplier_reports / one.source / one.quarter.isoformat(), ignore_errors=True
        )
    return Purged(tuple(deliveries), len(gone), bytes_before, settings.warehouse.stat().st_size)


def _sources(contracts: Mapping[str, SourceTable]) -> list[str]:
    return [name for name, contract in contracts.items() if contract.retention_quarters]


def _numbers(deliveries: Sequence[KeptDelivery]) -> str:
    return ", ".join(str(one.delivery_id) for one in deliveries) or "null"


def _pseudonyms(
    connection: duckdb.DuckDBPyConnection,
    contracts: Mapping[str, SourceTable],
    which: Literal["in", "not in"],
    deliveries: Sequence[KeptDelivery],
) -> set[str]:
    """Return the pseudonyms in the raw rows of the deliveries, or of all others."""
    condition = f"_delivery_id {which} ({_numbers(deliveries)})" if deliveries else "true"
    if which == "in" and not deliveries:
        return set()
    held = {name for (name,) in connection.execute(_RAW_TABLES).fetchall()}
    asked = [
        f"select {column.name} from {contracts[name].raw_table} where {condition}"
        for name in _sources(contracts)
        if name in held
        for column in contracts[name].identifiers
    ]
    if not asked:
        return set()
    rows = connection.execute(" union ".join(asked)).fetchall()
    return {str(value) for (value,) in rows if value is not None}


_RAW_TABLES = (
    "select table_name from duckdb_tables() "
    "where schema_name = 'raw' and database_name = current_database()"
)


def _remove(
    connection: duckdb.DuckDBPyConnection,
    contracts: Mapping[str, SourceTable],
    deliveries: Sequence[KeptDelivery],
    before: date,
    now: datetime,
) -> None:
    """Remove, in one transaction, the deliveries' rows and all that was built from any row."""
    numbers = _numbers(deliveries)
    built, views = _built(connection)
    connection.execute("begin")
    try:
        for source in {one.source for one in deliveries}:
            connection.execute(
                f"delete from {contracts[source].raw_table} where _delivery_id in ({numbers})"
            )
            connection.execute("delete from control.corrections_applied where source = ?", [source])
        for table in ("quarantine.refused_rows", "control.profile"):
            connection.execute(f"delete from {table} where delivery_id in ({numbers})")
        # A reason may quote a row.
        connection.execute(
            "update control.deliveries set reason = 'Its reasons were purged.' "
            f"where delivery_id in ({numbers}) and reason is not null"
        )
        for one in deliveries:
            connection.execute(
                "insert into control.purges values (?, ?, ?)", [one.delivery_id, before, now]
            )
        connection.execute("delete from control.in_force; delete from control.anomalies")
        for view in views:
            connection.execute(f"drop view if exists {view}")
        for schema in built:
            connection.execute(f'drop schema "{schema}" cascade')
        connection.execute("delete from control.last_build")
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def _built(connection: duckdb.DuckDBPyConnection) -> tuple[list[str], list[str]]:
    """Return the schemas that are built from the raw rows, and the views over those rows.

    The load makes the views again, and the next refresh the schemas.
    """
    schemas = connection.execute(
        "select schema_name from duckdb_schemas() where database_name = current_database() "
        "and not internal and schema_name <> 'main' and schema_name not in (select unnest(?))",
        [list(_KEPT_SCHEMAS)],
    ).fetchall()
    views = connection.execute(
        'select format(\'"{}"."{}"\', schema_name, view_name) from duckdb_views() '
        "where database_name = current_database() and schema_name in (select unnest(?))",
        [list(_KEPT_SCHEMAS)],
    ).fetchall()
    return [name for (name,) in schemas], [name for (name,) in views]


@contextmanager
def _beside(
    settings: Settings, connection: duckdb.DuckDBPyConnection, new: Path, *, read_only: bool
) -> Iterator[None]:
    """Attach the new file as ``purging``, encrypted as the old one is."""
    attach(connection, new, "purging", settings.warehouse_key, read_only=read_only)
    yield
    connection.execute("detach purging")


def _copy(settings: Settings, new: Path) -> None:
    with connect(settings) as connection, _beside(settings, connection, new, read_only=False):
        connection.execute(f"copy from database {CATALOGUE} to purging")


def _search(settings: Settings, new: Path, gone: set[str], deliveries: Sequence[int]) -> None:
    """Raise :class:`PurgeError` where the new file has a purged row, or pseudonym anywhere."""
    with (
        duckdb.connect(":memory:") as connection,
        _beside(settings, connection, new, read_only=True),
    ):
        connection.execute(
            "create table _gone as select unnest($1::varchar[]) as value", [sorted(gone)]
        )
        columns = connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns() "
            "where database_name = 'purging' and data_type = 'VARCHAR' and not internal"
        ).fetchall()
        left = sum(
            _count(
                connection,
                f'purging."{schema}"."{table}" where "{column}" in (from memory.main._gone)',
            )
            for schema, table, column in columns
        )
        numbers = ", ".join(str(number) for number in deliveries) or "null"
        raw = {table for schema, table, _ in columns if schema == "raw"}
        left += sum(
            _count(connection, f'purging.raw."{table}" where _delivery_id in ({numbers})')
            for table in raw
        )
    with new.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        left += sum(found[0].decode() in gone for found in _PSEUDONYM.finditer(content))
    if left:
        raise PurgeError(
            f"The new file still holds {left:,} of the purged values; it was deleted and the old "
            "file was kept. Do not rely on anything as purged, and report this to the developers."
        )


def _count(connection: duckdb.DuckDBPyConnection, rows: str) -> int:
    ((count,),) = connection.execute(f"select count(*) from {rows}").fetchall()
    return int(count)
