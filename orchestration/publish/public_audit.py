"""The public form of the audit of an assessment in print (``docs/audit.md``).

A verdict beside a printed number gives the true count away where the release hides or rounds it.
So each query of the audit runs again on the release itself, and a verdict is given only where the
release prints the number as it is: anybody could come to it with the release and the print.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb

from orchestration.publish.published_tables import PublishedColumn, PublishedTable
from orchestration.publish.report_declarations import REPORTS, DeclaredReport
from orchestration.releases.published_file import CATALOGUE
from orchestration.releases.report_metadata import ReportMetadata
from orchestration.warehouse.sql_quoting import identifier, literal

NOT_SHOWN, ROUNDED, HIDDEN = "not in the release", "rounded", "confidential"
"""Verdicts where the release does not print a number as it is."""

_NOT_COMPARED = ("cannot be derived", "not checked")
"""Verdicts that compare nothing, and so reveal nothing."""

_TOGETHER = 100

_NUMBER_COLUMNS = (
    PublishedColumn("place", "VARCHAR", "Where it is printed: a table, figure, appendix or Text."),
    PublishedColumn("area", "VARCHAR", "Area that it is about."),
    PublishedColumn(
        "dimension", "VARCHAR", "What of the area it is about, such as an age group; null for all."
    ),
    PublishedColumn("measure", "VARCHAR", "What is counted or measured, or what a sentence says."),
    PublishedColumn("period", "VARCHAR", "Period or date that it is about."),
    PublishedColumn("printed_value", "VARCHAR", "The number as printed."),
    PublishedColumn(
        "published_value",
        "VARCHAR",
        "The number that this release prints, in the digits of the printed one; null where it "
        "prints none, or not as it is.",
    ),
)

_WHY = PublishedColumn(
    "reason", "VARCHAR", "Why it is a misprint, or is not compared; null where reproduced."
)

AUDIT = PublishedTable(
    "main",
    "audit",
    "Audit: printed numbers beside this release",
    "One row for each number that the audited assessment printed, compared with this release. "
    "Without rows where the release is of another quarter, or for other partnerships.",
    "A number that the release hides or rounds has no verdict, because the verdict would give the "
    "true count away.",
    "reference",
    (
        PublishedColumn("figure_id", "VARCHAR", "Name of the printed number."),
        *_NUMBER_COLUMNS,
        PublishedColumn(
            "verdict",
            "VARCHAR",
            "reproduced; misprint; cannot be derived; revised since printed; or, without a "
            "comparison, rounded, confidential, not in the release or not checked.",
        ),
        _WHY,
        PublishedColumn("query", "VARCHAR", "Gives the published number; null where none does."),
    ),
    ("figure_id",),
    lists_changes=False,
)

PAGE_AUDIT = PublishedTable(
    REPORTS,
    "page_audit",
    "How many printed numbers are reproduced",
    "One row for each place of the audited assessment, then all of them. Without rows where the "
    "release is of another quarter, or for other partnerships.",
    "A number that this release hides or rounds is not compared: a verdict would give it away.",
    "reference",
    (
        PublishedColumn("row_order", "INTEGER", "Row of the table; all places come last."),
        PublishedColumn("place", "VARCHAR", "Where the numbers are printed, or All."),
        PublishedColumn("printed", "INTEGER", "Numbers printed."),
        PublishedColumn("reproduced", "INTEGER", "Of them, as this release prints them too."),
        PublishedColumn("misprints", "INTEGER", "Of them, misprints."),
        PublishedColumn("revised", "INTEGER", "Of them, revised by a supplier since."),
        PublishedColumn("not_derived", "INTEGER", "Of them, not to be derived from the sources."),
        PublishedColumn(
            "not_compared", "INTEGER", "Of them, hidden, rounded or not in this release."
        ),
    ),
    ("row_order",),
    lists_changes=False,
)

PAGE_MISPRINTS = PublishedTable(
    REPORTS,
    "page_misprints",
    "Numbers that were printed wrongly",
    "One row for each number of the audited assessment that is a misprint by this release.",
    "",
    "reference",
    (
        PublishedColumn("row_order", "INTEGER", "Row of the table."),
        *_NUMBER_COLUMNS,
        _WHY,
    ),
    ("row_order",),
    lists_changes=False,
)

_CONFIDENTIAL = "[c]"
"""What the warehouse's audit has in place of a number behind which are one to four people."""

AUDIT_TABLES = (AUDIT, PAGE_AUDIT, PAGE_MISPRINTS)
"""What a release says of the audited assessment."""


def audit_reports() -> list[DeclaredReport]:
    """Return how the two pages are shown, for a release in which they have rows."""
    pages = {
        PAGE_AUDIT.name: {
            "position": 1,
            "label": "Audit",
            "subject": "Printed numbers, compared with this release",
            "columns": [
                {"column": "place", "heading": "Place"},
                {"column": "printed", "heading": "Numbers printed", "form": "count"},
                {"column": "reproduced", "heading": "Reproduced", "form": "count"},
                {"column": "misprints", "heading": "Misprints", "form": "count"},
                {"column": "revised", "heading": "Revised since", "form": "count"},
                {"column": "not_derived", "heading": "Cannot be derived", "form": "count"},
                {"column": "not_compared", "heading": "Not compared", "form": "count"},
            ],
        },
        PAGE_MISPRINTS.name: {
            "position": 2,
            "label": "Misprints",
            "subject": "Misprints",
            "columns": [
                {"column": "place", "heading": "Place"},
                {"column": "area", "heading": "Area"},
                {"column": "dimension", "heading": "Category"},
                {"column": "measure", "heading": "Measure"},
                {"column": "printed_value", "heading": "Printed"},
                {"column": "published_value", "heading": "This release"},
                {"column": "reason", "heading": "Why"},
            ],
        },
    }
    return [
        DeclaredReport(REPORTS, name, ReportMetadata.model_validate({"section": "audit", **page}))
        for name, page in pages.items()
    ]


def compared_with_print(
    connection: duckdb.DuckDBPyConnection, warehouse: str, tables: Iterable[PublishedTable]
) -> list[list[Any]]:
    """Return the rows of :data:`AUDIT` for the release that is attached as ``csp``.

    ``warehouse`` is the attached warehouse with ``reports.reconciliation``; ``tables`` are those of
    the release that have rows. None where nothing is compared in this quarter.
    """
    numbers = _numbers(connection, warehouse)
    by_name = {table.full_name: table for table in tables}
    compared = [number for number in numbers if number["verdict"] not in _NOT_COMPARED]
    why = {
        number["figure_id"]: _not_as_it_is(connection, number["regenerated_by"], by_name)
        for number in compared
    }
    queries = {
        number["figure_id"]: number["regenerated_by"]
        for number in compared
        if why[number["figure_id"]] is None
    }
    why |= _without_value(connection, queries)
    for number in compared:
        if number["computed_value"] == _CONFIDENTIAL and why[number["figure_id"]] is None:
            number["computed_value"] = _value_shown(connection, number)
    return [_row(number, why.get(number["figure_id"])) for number in numbers]


def _value_shown(connection: duckdb.DuckDBPyConnection, number: Mapping[str, Any]) -> str:
    """Return what the release shows of a number that the warehouse's audit keeps to itself.

    Only a restricted edition shows one. It is written with the decimals and sign of the print.
    """
    with connection.cursor() as own:
        own.execute(f"use {identifier(CATALOGUE)}")
        ((value,),) = own.execute(number["regenerated_by"]).fetchall()
    printed = str(number["printed_value"])
    decimals = len(printed.rstrip("%").partition(".")[2])
    return f"{value:,.{decimals}f}{'%' if printed.endswith('%') else ''}"


def _numbers(connection: duckdb.DuckDBPyConnection, warehouse: str) -> list[dict[str, Any]]:
    """Return the printed numbers with their verdicts; none where the quarter has none."""
    found = connection.execute(
        "select count(*) from duckdb_tables() where database_name = ? "
        "and schema_name = 'reports' and table_name = 'reconciliation'",
        [warehouse],
    ).fetchone()
    if not found or not found[0]:
        return []
    source = f"{identifier(warehouse)}.reports.reconciliation"
    cursor = connection.execute(
        "select figure_id, place, area, dimension, measure, period, printed_value, computed_value, "
        f"verdict, reason, regenerated_by from {source} "
        f"where exists (select 1 from {source} where verdict = 'reproduced') order by figure_id"
    )
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _not_as_it_is(
    connection: duckdb.DuckDBPyConnection, query: str | None, tables: dict[str, PublishedTable]
) -> str | None:
    """Return why the release cannot print what a query of the audit gives; none where it may."""
    if query is None:
        return NOT_SHOWN
    named = connection.get_table_names(query, qualified=True)
    if not named or not named <= tables.keys():
        return NOT_SHOWN
    return ROUNDED if any(tables[name].rounded_to for name in named) else None


def _without_value(
    connection: duckdb.DuckDBPyConnection, queries: Mapping[str, str]
) -> dict[str, str]:
    """Return the numbers for which the release prints no value, and why."""
    missing: dict[str, str] = {}
    with connection.cursor() as own:
        own.execute(f"use {identifier(CATALOGUE)}")
        every = list(queries.items())
        for start in range(0, len(every), _TOGETHER):
            asked = " union all ".join(
                f"select {literal(figure)} as figure_id, count(value) as shown, count(*) as asked "
                f"from ({query}) as answer (value)"
                for figure, query in every[start : start + _TOGETHER]
            )
            for figure, shown, rows in own.execute(asked).fetchall():
                if rows == 0:
                    missing[figure] = NOT_SHOWN
                elif shown < rows:
                    missing[figure] = HIDDEN
    return missing


def _row(number: Mapping[str, Any], why: str | None) -> list[Any]:
    figure = number["figure_id"]
    shown = [number[column.name] for column in _NUMBER_COLUMNS[:-1]]
    if number["verdict"] in _NOT_COMPARED:
        return [figure, *shown, None, number["verdict"], number["reason"], None]
    if why is not None:
        return [figure, *shown, None, why, _REASONS[why], None]
    value, verdict, reason = number["computed_value"], number["verdict"], number["reason"]
    return [figure, *shown, value, verdict, reason, number["regenerated_by"]]


_REASONS = {
    NOT_SHOWN: "No table of the release has the number.",
    ROUNDED: "The release shows the number rounded.",
    HIDDEN: "The release hides the number.",
}


def page_rows(audit: Sequence[Sequence[Any]]) -> tuple[list[list[Any]], list[list[Any]]]:
    """Return the rows of :data:`PAGE_AUDIT` and :data:`PAGE_MISPRINTS` from those of the audit."""
    names = [column.name for column in AUDIT.columns]
    rows = [dict(zip(names, row, strict=True)) for row in audit]
    places = sorted({row["place"] for row in rows}, key=_place_order)
    summary = [
        [order, place, *_counts([row for row in rows if place in (row["place"], "All")])]
        for order, place in enumerate([*places, *(["All"] if rows else [])], start=1)
    ]
    wrong = [row for row in rows if row["verdict"] == "misprint"]
    wrong.sort(key=lambda row: (_place_order(row["place"]), row["figure_id"]))
    misprints = [
        [order, *(row[column.name] for column in _NUMBER_COLUMNS), row["reason"]]
        for order, row in enumerate(wrong, start=1)
    ]
    return summary, misprints


def _place_order(place: str) -> tuple[int, str, int]:
    """Tables by number, then figures, appendices and sentences."""
    kind, _, number = place.partition(" ")
    order = {"Table": 0, "Figure": 1, "Appendix": 2}.get(kind, 3)
    return order, kind, int(number) if number.isdigit() else 0


def _counts(rows: Sequence[dict[str, Any]]) -> list[int]:
    verdicts = [row["verdict"] for row in rows]
    said = ["reproduced", "misprint", "revised since printed", "cannot be derived"]
    numbers = [verdicts.count(verdict) for verdict in said]
    return [len(rows), *numbers, len(rows) - sum(numbers)]
