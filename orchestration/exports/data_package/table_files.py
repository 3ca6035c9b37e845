"""Tables as files: CSV for spreadsheets, Parquet (typed) for programs."""

from collections.abc import Iterable
from pathlib import Path

import duckdb

from orchestration.exports.report_definition.row_selection import (
    Partnership,
    TableRef,
    selection_query,
)
from orchestration.warehouse.rows_digest import rows_digest
from orchestration.warehouse.sql_quoting import identifier, literal, qualified

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A text cell that starts with one of these may be run as a formula by a spreadsheet.

List of the Open Worldwide Application Security Project, "CSV injection"."""


def write_csv(
    connection: duckdb.DuckDBPyConnection, table: TableRef, whose: Partnership, path: Path
) -> None:
    """Write the partnership's rows as UTF-8 CSV with a header; null is an empty cell.

    Text that a spreadsheet would run as a formula gets a leading apostrophe. Numbers and dates
    are left as they are.
    """
    columns = ", ".join(_neutralised(name, data_type) for name, data_type in table.columns)
    query = selection_query(table, whose, columns)
    connection.execute(f"copy ({query}) to {literal(str(path))} (format csv, header true)")


def write_parquet(
    connection: duckdb.DuckDBPyConnection, table: TableRef, whose: Partnership, path: Path
) -> None:
    """Write the partnership's rows as Parquet, with the types of the release."""
    query = selection_query(table, whose)
    connection.execute(f"copy ({query}) to {literal(str(path))} (format parquet, compression zstd)")


def rows_digests(
    connection: duckdb.DuckDBPyConnection, tables: Iterable[TableRef]
) -> dict[str, str]:
    """Return a digest of the rows of each table, by its full name: equal for equal rows."""
    found = {}
    for table in tables:
        columns = [identifier(name) for name in table.column_names]
        digest = rows_digest(connection, qualified(table.schema, table.name), columns)
        found[table.full_name] = str(digest)
    return found


def neutralise(text: str) -> str:
    """Return ``text`` so that no spreadsheet runs it: with an apostrophe before a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _neutralised(name: str, data_type: str) -> str:
    """Return the select item that does for a text column what :func:`neutralise` does."""
    column = f"source.{identifier(name)}"
    if data_type != "VARCHAR":
        return column
    starts = " or ".join(f"starts_with({column}, chr({ord(start)}))" for start in FORMULA_STARTS)
    return f"case when {starts} then chr(39) || {column} else {column} end as {identifier(name)}"
