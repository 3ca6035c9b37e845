"""Moves the warehouse from its file into a lake, or back: every table, verified, or nothing.

The copy is one transaction of the lake, or a new file that is renamed into place: cut short, it
leaves no warehouse, and is started again. The source is not changed. Views are made again by the
next refresh, which also builds every model, since the record of the last build is not copied.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb

from orchestration.config.settings import Settings
from orchestration.errors import MigrationError
from orchestration.warehouse.atomic_file import SCRATCH_PREFIX, log_beside, remove_leftovers, sync
from orchestration.warehouse.connection import (
    CATALOGUE,
    attach,
    connect,
    no_warehouse,
    warehouse_exists,
    warehouse_lock,
    warehouse_name,
)
from orchestration.warehouse.control_schema import ensure_control
from orchestration.warehouse.lake import attach_lake
from orchestration.warehouse.lake_upkeep import remove_past
from orchestration.warehouse.purged_rows import comment_statements
from orchestration.warehouse.rows_digest import rows_digest
from orchestration.warehouse.sql_quoting import identifier, qualified
from orchestration.warehouse.transaction import transaction

Store = Literal["file", "lake"]

_OTHER = "migrated"
_NOT_COPIED = {("control", "last_build")}


@dataclass(frozen=True)
class Migrated:
    """What was copied: from where to where, how many tables and rows."""

    source: str
    target: str
    tables: int
    rows: int


def migrate(settings: Settings, to: Store) -> Migrated:
    """Copy the warehouse to the store ``to``, and verify rows and checksum of every table.

    Raises :class:`MigrationError` where there is a warehouse already or the copy is not the same,
    :class:`WarehouseBusyError` where somebody is writing either of them, and what opening them
    raises.
    """
    if not settings.has_lake:
        raise MigrationError(
            "No lake is named. Set CSP_LAKE_CATALOGUE and CSP_LAKE_DATA (docs/scale.md)."
        )
    lake = settings.model_copy(update={"store": "lake"})
    file = settings.model_copy(update={"store": "file"})
    source, target = (file, lake) if to == "lake" else (lake, file)
    with warehouse_lock(lake, "A migration", settings.lock_wait_seconds):
        if not warehouse_exists(source):
            raise no_warehouse(source)
        copied = _to_lake(lake) if to == "lake" else _to_file(lake)
    return Migrated(warehouse_name(source), warehouse_name(target), len(copied), sum(copied))


def _to_lake(settings: Settings) -> list[int]:
    """Copy the file into the lake; return the rows of each table."""
    with connect(settings) as connection:
        if _tables(connection, CATALOGUE):
            raise _refused(warehouse_name(settings))
        # Files of a migration that was cut short.
        remove_past(connection)
        attach(connection, settings.warehouse, _OTHER, settings.warehouse_key, read_only=True)
        with transaction(connection):
            return _copy(connection, _OTHER, CATALOGUE)


def _to_file(settings: Settings) -> list[int]:
    """Copy the lake into a new file, and put it in place; return the rows of each table."""
    file = settings.warehouse
    if file.exists():
        raise _refused(str(file))
    remove_leftovers(settings.home)
    new = file.with_name(f"{SCRATCH_PREFIX}migrated.duckdb")
    try:
        copied = _into(settings, new)
        log_beside(file).unlink(missing_ok=True)
        sync(new)
        new.replace(file)
        sync(file.parent)
    finally:
        new.unlink(missing_ok=True)
        log_beside(new).unlink(missing_ok=True)
    return copied


def _into(settings: Settings, new: Path) -> list[int]:
    of_file = settings.model_copy(update={"store": "file"})
    with connect(of_file, at=new) as connection:
        attach_lake(connection, settings, _OTHER, read_only=True)
        copied = _copy(connection, _OTHER, CATALOGUE)
        connection.execute(f"checkpoint {CATALOGUE}")
    return copied


def _refused(place: str) -> MigrationError:
    return MigrationError(
        f"There is a warehouse in {place} already, and nothing is written over it. Move it away "
        "(docs/scale.md says how), and run `csp migrate` again."
    )


def _tables(connection: duckdb.DuckDBPyConnection, database: str) -> list[tuple[str, str]]:
    return connection.execute(
        "select schema_name, table_name from duckdb_tables() "
        "where database_name = ? and not temporary order by all",
        [database],
    ).fetchall()


def _copy(connection: duckdb.DuckDBPyConnection, source: str, target: str) -> list[int]:
    """Copy every table in the order of its rows, with comments; return the rows of each.

    Which line of a file a row was follows from that order.
    """
    connection.execute(f"use {source}")
    tables = [one for one in _tables(connection, source) if one not in _NOT_COPIED]
    comments = comment_statements(connection)
    connection.execute(f"use {target}")
    ensure_control(connection)
    made = set(_tables(connection, target))
    for schema, name in tables:
        there, here = qualified(source, schema, name), qualified(target, schema, name)
        if (schema, name) in made:
            connection.execute(f"insert into {here} by name select * from {there} order by rowid")
        else:
            connection.execute(f"create schema if not exists {qualified(target, schema)}")
            connection.execute(f"create table {here} as select * from {there} order by rowid")
    for comment in comments:
        connection.execute(comment)
    rows = []
    for schema, name in tables:
        of_source, of_target = (
            _content(connection, database, schema, name) for database in (source, target)
        )
        if of_source != of_target:
            raise MigrationError(
                f"{schema}.{name} is not the same after copying ({of_source[0]:,} rows before, "
                f"{of_target[0]:,} after). Nothing was put in place. Try again, and report this to "
                "the developers if it says so again."
            )
        rows.append(of_source[0])
    return rows


def _content(
    connection: duckdb.DuckDBPyConnection, database: str, schema: str, name: str
) -> tuple[int, int | None]:
    """Return the rows of a table, and a checksum of them: of a raw table also of their order."""
    columns = connection.execute(
        "select column_name from duckdb_columns() where database_name = ? and schema_name = ? "
        "and table_name = ? order by column_name",
        [database, schema, name],
    ).fetchall()
    values = [identifier(column) for (column,) in columns]
    place = "null"
    if ("_file_id",) in columns:
        place = "row_number() over (partition by _file_id order by rowid)"
    numbered = f"(select *, {place} as _place from {qualified(database, schema, name)})"
    return rows_digest(connection, numbered, [*values, "_place"])
