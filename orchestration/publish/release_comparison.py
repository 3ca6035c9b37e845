"""Compares two releases by their content, never by their bytes or their age.

Both files are attached to one connection. Order of rows is no difference; a comment, a type or a
source is.
"""

import hashlib
from collections.abc import Iterable

import duckdb

from orchestration.publish.published_tables import PublishedTable
from orchestration.publish.release_contents import METHODS, RELEASE
from orchestration.warehouse.rows_digest import rows_digest
from orchestration.warehouse.sql_quoting import identifier, literal, qualified

_TIMELESS = (
    "quarter",
    "quarter_label",
    "schema_version",
    "synthetic",
    "synthetic_notice",
    "deliveries_of_quarter",
    "data_up_to",
)
"""Columns of ``release`` that make a difference; when and by which version it was built do not."""

_METHODS = (METHODS.schema, METHODS.name)
"""A method that was reworded and gives the same figures makes no other release."""

_Name = tuple[str, str]
_Shape = tuple[str, tuple[tuple[str, str, str], ...]]


def changed_tables(connection: duckdb.DuckDBPyConnection, new: str, old: str) -> list[str]:
    """Return the full names of tables that differ between two attached catalogues.

    A table differs where it is in one only, or where its columns, types, comments or rows differ.
    """
    new_shapes, old_shapes = _shapes(connection, new), _shapes(connection, old)
    return sorted(
        ".".join(name)
        for name in new_shapes.keys() | old_shapes.keys()
        if new_shapes.get(name) != old_shapes.get(name)
        or (name != _METHODS and _rows_differ(connection, new, old, name, new_shapes[name]))
    )


def content_digest(
    connection: duckdb.DuckDBPyConnection, catalogue: str, tables: Iterable[PublishedTable]
) -> str:
    """Return a SHA-256 fingerprint of ``tables``: equal where they hold the same rows.

    The rows' own hashes are added up, so that their order does not matter and memory stays small.
    """
    digest = hashlib.sha256()
    for table in sorted(tables, key=lambda table: table.full_name):
        path = qualified(catalogue, table.schema, table.name)
        row = rows_digest(connection, path, [identifier(column.name) for column in table.columns])
        shape = [(column.name, column.data_type) for column in table.columns]
        digest.update(repr((table.full_name, shape, row)).encode())
    return digest.hexdigest()


def _shapes(connection: duckdb.DuckDBPyConnection, catalogue: str) -> dict[_Name, _Shape]:
    """Return each table's comment and its columns (name, type, comment) in order."""
    tables = connection.execute(
        "select schema_name, table_name, coalesce(comment, '') from duckdb_tables() "
        f"where database_name = {literal(catalogue)}"
    ).fetchall()
    columns = connection.execute(
        "select schema_name, table_name, column_name, data_type, coalesce(comment, '') "
        f"from duckdb_columns() where database_name = {literal(catalogue)} and not internal "
        "order by schema_name, table_name, column_index"
    ).fetchall()
    found: dict[_Name, list[tuple[str, str, str]]] = {}
    for schema, table, name, data_type, comment in columns:
        found.setdefault((schema, table), []).append((name, data_type, comment))
    return {
        (schema, table): (comment, tuple(found.get((schema, table), ())))
        for schema, table, comment in tables
    }


def _rows_differ(
    connection: duckdb.DuckDBPyConnection, new: str, old: str, name: _Name, shape: _Shape
) -> bool:
    """Say whether two tables of equal columns hold different multisets of rows."""
    columns = [column for column, _, _ in shape[1]]
    if name == (RELEASE.schema, RELEASE.name):
        columns = list(_TIMELESS)
    values = [identifier(column) for column in columns]
    return rows_digest(connection, qualified(new, *name), values) != rows_digest(
        connection, qualified(old, *name), values
    )
