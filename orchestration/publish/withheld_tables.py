"""Tables that disclosure control withheld from one release: they are there without rows, and why.

Their columns stay, so that whoever connects to the published file finds what they know. The reason
is the table's note and what the pack prints in its place.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import duckdb

from orchestration.publish.published_tables import PublishedTable
from orchestration.publish.report_declarations import DeclaredReport
from orchestration.warehouse.sql_quoting import qualified

_NOTE = "Withheld from this release"


def withheld_tables(connection: duckdb.DuckDBPyConnection, quarter: date) -> dict[str, str]:
    """Return the reason for each table that the attached warehouse withholds, by full name."""
    try:
        return dict(
            connection.execute(
                "select table_name, reason from warehouse.control.withheld_tables "
                "where quarter = ? order by table_name",
                [quarter],
            ).fetchall()
        )
    except duckdb.CatalogException:
        return {}


def noted(table: PublishedTable, withheld: Mapping[str, str]) -> PublishedTable:
    """Return a table with the reason in its note, where it is withheld."""
    if table.full_name not in withheld:
        return table
    note = f"{_NOTE}: {withheld[table.full_name]}."
    return replace(table, note=" ".join(filter(None, (table.note, note))))


def without_rows(report: DeclaredReport, withheld: Mapping[str, str]) -> DeclaredReport:
    """Return how a report is shown: by its reason alone, where its table is withheld."""
    reason = withheld.get(f"{report.schema}.{report.name}")
    if reason is None:
        return report
    told = {"withheld": True, "absent_because": f"withheld from this release: {reason}"}
    return replace(report, metadata=report.metadata.model_copy(update=told))


def withheld_earlier(connection: duckdb.DuckDBPyConnection, alias: str) -> set[str]:
    """Return the tables that the release attached as ``alias`` withholds."""
    rows = connection.execute(
        "select table_schema || '.' || table_name "
        f"from {qualified(alias, 'main', 'published_tables')} where contains(note, $1)",
        [_NOTE],
    ).fetchall()
    return {name for (name,) in rows}
