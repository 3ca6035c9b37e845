"""Removes what a lake keeps of its past: snapshots, and the files that only they read.

Each refresh replaces the tables that it builds, and a lake keeps the old ones until they are
removed. Which delivery was in force when is in the control tables: no earlier snapshot is needed
for that. Only one process may do this, with nobody writing meanwhile: the writer's lock sees to it.
"""

import duckdb

from orchestration.config.settings import Settings
from orchestration.warehouse.connection import CATALOGUE, connect
from orchestration.warehouse.sql_quoting import literal

_KEPT = "interval 1 day"
"""How long a snapshot stays for queries that began with it."""


def remove_outdated(settings: Settings) -> None:
    """Remove snapshots of a lake that are more than a day old, and the files that only they read.

    The caller holds the writer's lock. Raises what opening the lake raises.
    """
    with connect(settings) as connection:
        _call(connection, "ducklake_expire_snapshots", f"older_than => now() - {_KEPT}")
        _call(connection, "ducklake_cleanup_old_files", f"older_than => now() - {_KEPT}")


def remove_past(connection: duckdb.DuckDBPyConnection) -> None:
    """Remove every earlier snapshot, all deleted rows, and every file that is of no table.

    The caller holds the writer's lock. Queries fail where a file goes that they are reading.
    """
    _call(connection, "ducklake_rewrite_data_files", "delete_threshold => 0.0")
    _call(connection, "ducklake_expire_snapshots", "older_than => now()")
    _call(connection, "ducklake_cleanup_old_files", "cleanup_all => true")
    _call(connection, "ducklake_delete_orphaned_files", "cleanup_all => true")


def _call(connection: duckdb.DuckDBPyConnection, function: str, option: str) -> None:
    connection.execute(f"call {function}({literal(CATALOGUE)}, {option})")
