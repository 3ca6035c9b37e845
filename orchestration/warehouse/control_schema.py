"""The control, quarantine and disclosure tables of the warehouse, all declared in one SQL file."""

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
    connection.execute(CONTROL_SCHEMA.read_text())
