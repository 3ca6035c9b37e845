"""The control, quarantine and disclosure tables of the warehouse, all declared in one SQL file.

A lake has no keys and checks: it gets the same tables without them. One writer at a time, and the
tests that run on both, are what keeps the rows right there.
"""

import re
from pathlib import Path

import duckdb

from orchestration.errors import OutdatedWarehouseError

CONTROL_SCHEMA = Path(__file__).with_name("control_schema.sql")


def ensure_control(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the control, quarantine and disclosure tables where they are missing.

    Raises :class:`OutdatedWarehouseError` where an earlier version of the product made them.
    """
    made = connection.execute(
        "select table_name, list(column_name) from duckdb_columns() where schema_name = 'control' "
        "and database_name = current_database() and table_name in ('coverage', 'in_force') "
        "group by table_name"
    ).fetchall()
    if any("role" not in columns for _, columns in made):
        raise OutdatedWarehouseError(
            "The warehouse was made by an earlier version, which did not record what each delivery "
            "covers. Move the warehouse file away and run `csp refresh`: it is rebuilt from the "
            "landing zone. The published releases are not affected."
        )
    statements = CONTROL_SCHEMA.read_text()
    connection.execute(_without_constraints(statements) if is_lake(connection) else statements)


def is_lake(connection: duckdb.DuckDBPyConnection) -> bool:
    """Say whether the database in use is a lake."""
    rows = connection.execute(
        "select type from duckdb_databases() where database_name = current_database()"
    ).fetchall()
    return rows == [("ducklake",)]


_LIST = r"\((?:[^()]|\([^()]*\))*\)"
_TABLE_CONSTRAINT = re.compile(rf",\s*(?:primary key|unique|check) {_LIST}(?=,|\n\))")
_COLUMN_CONSTRAINT = re.compile(rf" check {_LIST}")
_COLUMN_KEY = re.compile(r" primary key(?=,|\n\))")


def _without_constraints(statements: str) -> str:
    """Return the statements without keys and checks; a column that is a key may not be null."""
    kept = _TABLE_CONSTRAINT.sub("", statements)
    return _COLUMN_KEY.sub(" not null", _COLUMN_CONSTRAINT.sub("", kept))
