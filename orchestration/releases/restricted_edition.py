"""The mark of a restricted edition: a release file with true counts of people says that it is one.

The mark is a table of the file, so it is in whatever is exported from it.
"""

import duckdb

from orchestration.releases.published_file import CATALOGUE
from orchestration.warehouse.sql_quoting import literal, qualified

TABLE = "restricted_edition"

NOTICE = "RESTRICTED: true counts of people. Not for publication. Only for those who may see them."
"""What every page and sheet of a restricted edition says."""


def write_mark(connection: duckdb.DuckDBPyConnection) -> str:
    """Mark the release attached as ``csp`` as restricted; return the name of the table."""
    path = qualified(CATALOGUE, "main", TABLE)
    connection.execute(f"create table {path} as select {literal(NOTICE)} as notice")
    connection.execute(f"comment on table {path} is 'Marks this file as restricted.'")
    connection.execute(f"comment on column {path}.notice is 'What each page made from it says.'")
    return f"main.{TABLE}"


def read_mark(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the notice of the release in use; empty where it is not restricted."""
    try:
        rows = connection.execute(f"select notice from main.{TABLE}").fetchall()
    except duckdb.CatalogException:
        return ""
    return str(rows[0][0]) if rows else NOTICE
