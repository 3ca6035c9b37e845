"""Purges rows from a lake: makes its tables anew, and removes every file that had the rows.

A row that is deleted stays in its Parquet file, and the smallest and largest value of each column
stay in the catalogue. So tables that lose rows are made anew, files with deletions are rewritten,
and snapshots of the past, with their files, go. The proof is that nothing else is left: no earlier
snapshot, no deletion, no file that is not of a table of today, and no purged value in any of them.
"""

from datetime import datetime
from pathlib import PurePosixPath

import duckdb

from orchestration.config.settings import Settings
from orchestration.errors import PurgeError
from orchestration.warehouse.connection import connect
from orchestration.warehouse.control_schema import ensure_control
from orchestration.warehouse.lake import catalogue, data_path
from orchestration.warehouse.lake_upkeep import remove_past
from orchestration.warehouse.purge_journal import PurgeEntry
from orchestration.warehouse.purged_rows import (
    KEPT_SCHEMAS,
    KeptTable,
    comment_statements,
    held_deliveries,
    kept_tables,
    listed,
    pseudonyms_of,
    rows_left,
    shown,
    stays,
    values_found,
)
from orchestration.warehouse.sql_quoting import qualified
from orchestration.warehouse.transaction import transaction

_OLD = "_purging"
_REASONS = "control.deliveries"
"""Table whose rows all stay, without the reasons of purged deliveries."""


def rewrite_lake(settings: Settings, entry: PurgeEntry, now: datetime) -> PurgeEntry:
    """Remove the rows of a purge's deliveries from the lake, and prove that; return the entry with
    the number of pseudonyms that were searched for. The caller holds the writer's lock.

    Cut short, it is repeated as a whole. Raises :class:`PurgeError` where something is left.
    """
    with connect(settings) as connection:
        ensure_control(connection)
        numbers = [number for _, number, _ in held_deliveries(connection, entry)]
        gone, staying = pseudonyms_of(connection, listed(numbers))
        with transaction(connection):
            _replace_tables(connection, entry, numbers)
            _drop_built(connection)
            connection.execute(
                "insert into control.purges select number, ?, ? from (select unnest(?) as number) "
                "where number not in (select delivery_id from control.purges)",
                [entry.before, now, numbers],
            )
        remove_past(connection)
        left = rows_left(connection, listed(numbers))
        found = set(values_found(connection, gone | staying))
        files = _files(connection, settings)
    _refuse(left + len(found & gone) + _values_in_catalogue(settings, gone), "purged values")
    _refuse(len(staying - found), "pseudonyms that stay and were not found in its search")
    _refuse_remains(settings, files)
    return entry.model_copy(update={"pseudonyms": max(len(gone), entry.pseudonyms or 0)})


def _replace_tables(
    connection: duckdb.DuckDBPyConnection, entry: PurgeEntry, numbers: list[int]
) -> None:
    """Make the tables anew that lose rows, in the order of their rows, with their comments."""
    losing = [one for one in kept_tables(connection) if _loses(connection, one, entry, numbers)]
    comments = comment_statements(connection, {one.path for one in losing})
    for table in losing:
        place, old = qualified(table.schema, table.name), qualified(table.schema, _OLD)
        connection.execute(f"alter table {place} rename to {_OLD}")
        connection.execute(table.sql)
        connection.execute(
            f"insert into {place} select {shown(table, numbers)} from {old} "
            f"where {stays(table, entry, numbers)} order by rowid"
        )
        connection.execute(f"drop table {old}")
    for comment in comments:
        connection.execute(comment)


def _loses(
    connection: duckdb.DuckDBPyConnection, table: KeptTable, entry: PurgeEntry, numbers: list[int]
) -> bool:
    leaving = f"not ({stays(table, entry, numbers)})"
    if table.path == _REASONS:
        leaving = f"delivery_id in ({listed(numbers)}) and reason is not null"
    rows = connection.execute(
        f"select 1 from {qualified(table.schema, table.name)} where {leaving} limit 1"
    ).fetchall()
    return bool(rows)


def _drop_built(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop the schemas that the next refresh builds again."""
    schemas = connection.execute(
        "select distinct schema_name from (select database_name, schema_name from duckdb_tables() "
        "union all select database_name, schema_name from duckdb_views()) "
        "where database_name = current_database() and schema_name not in (select unnest(?)) "
        "and schema_name <> 'main' order by all",
        [list(KEPT_SCHEMAS)],
    ).fetchall()
    for (schema,) in schemas:
        connection.execute(f"drop schema {qualified(schema)} cascade")


# --- the proof ----------------------------------------------------------------------------------


def _files(connection: duckdb.DuckDBPyConnection, settings: Settings) -> set[str]:
    """Return the names of all files where the lake's data are; each is the only one of its name."""
    rows = connection.execute(
        "select file from glob(?)", [f"{data_path(settings)}**/*.parquet"]
    ).fetchall()
    return {PurePosixPath(path).name for (path,) in rows}


def _values_in_catalogue(settings: Settings, gone: set[bytes]) -> int:
    """Count the smallest and largest values of columns that are purged pseudonyms."""
    values = [one.decode() for one in gone]
    count = 0
    with catalogue(settings) as session:
        for table in ("ducklake_file_column_stats", "ducklake_table_column_stats"):
            rows = session.execute(
                f"select count(*) from {table} where min_value = any(%s) or max_value = any(%s)",
                [values, values],
            ).fetchall()
            count += int(rows[0][0])
    return count


def _refuse_remains(settings: Settings, files: set[str]) -> None:
    with catalogue(settings) as session:
        known = {
            PurePosixPath(path).name
            for (path,) in session.execute(
                "select path from ducklake_data_file where end_snapshot is null"
            ).fetchall()
        }
        ((snapshots, deletions, ended, waiting),) = session.execute(
            "select (select count(*) from ducklake_snapshot), "
            "(select count(*) from ducklake_delete_file), "
            "(select count(*) from ducklake_data_file where end_snapshot is not null), "
            "(select count(*) from ducklake_files_scheduled_for_deletion)"
        ).fetchall()
    _refuse(int(snapshots) - 1, "earlier snapshots")
    _refuse(int(deletions), "files of deleted rows")
    _refuse(int(ended) + int(waiting) + len(files - known), "files of no table")


def _refuse(left: int, what: str) -> None:
    if left:
        raise PurgeError(
            f"The lake still has {left:,} {what} after the purge. Do not rely on anything as "
            "purged: run `csp purge` again, and report this to the developers if it says so again."
        )
