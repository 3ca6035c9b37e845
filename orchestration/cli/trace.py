"""``csp trace``: the deliveries, files and rows behind a figure."""

import csv
from pathlib import Path

from rich.console import Console

from orchestration.cli.tables import ShownTable, print_table, shown_cell
from orchestration.config.settings import Settings
from orchestration.ingest.checking.contract import load_contracts
from orchestration.transform.dbt_runner import fixed_dimensions, load_manifest
from orchestration.warehouse.connection import connect
from orchestration.warehouse.provenance import Position, Trace, TraceError, trace

_SHOWN = 5


def parse_key(pairs: list[str]) -> dict[str, str]:
    """Read ``column=value`` pairs. Raises :class:`TraceError` for what is none."""
    key = {}
    for pair in pairs:
        column, equals, value = pair.partition("=")
        if not equals or not column:
            raise TraceError(
                f"'{pair}' is not a key: write it as column=value, such as month=2018-04-01."
            )
        key[column.strip()] = value.strip()
    return key


def show_trace(
    settings: Settings, table: str, pairs: list[str], csv_file: Path | None, console: Console
) -> None:
    """Print the figure's row, its deliveries with their files, and the places of its rows.

    ``csv_file`` takes every row's position. No value of a delivered row is shown.
    """
    with connect(settings, read_only=True) as connection:
        fixed = fixed_dimensions(load_manifest(settings))
        found = trace(connection, load_contracts(), table, parse_key(pairs), fixed)
    _print_row(found, console)
    for delivery in found.deliveries:
        files = ShownTable(
            ("File", "SHA-256", "Rows loaded", "Refused"),
            f"{delivery.source} {delivery.quarter} v{delivery.version} ({delivery.nature})",
        )
        for file in delivery.files:
            files.add(file.file_name, file.sha256[:16], file.rows_loaded, file.rows_refused)
        print_table(files, console)
        narrowed = ", ".join(delivery.narrowed_by)
        console.print(
            f"{len(delivery.rows):,} rows of it, by {narrowed}:"
            if narrowed
            else f"All its {len(delivery.rows):,} rows:"
        )
        for position in delivery.rows[:_SHOWN]:
            console.print(f"  {_place(position)}")
        if len(delivery.rows) > _SHOWN:
            console.print(f"  and {len(delivery.rows) - _SHOWN:,} more (--csv writes them all)")
    if not found.deliveries:
        console.print("The row names no delivery, so it cannot be traced to a file.")
    if csv_file:
        _write(found, csv_file)
        console.print(f"Written: {csv_file}")


def _print_row(found: Trace, console: Console) -> None:
    row = ShownTable(("Column", "Value"), found.table)
    for column, value in found.row.items():
        if value is not None and column != "deliveries":
            row.add(column, shown_cell(value, column))
    print_table(row, console)


def _place(position: Position) -> str:
    sheet = f", sheet {position.sheet}" if position.sheet else ""
    column = f", column {position.column}" if position.column else ""
    return f"{position.file_name}{sheet}, line {position.line}{column}"


def _write(found: Trace, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["source", "quarter", "version", "file", "sheet", "line", "column"])
        for delivery in found.deliveries:
            for row in delivery.rows:
                writer.writerow(
                    [delivery.source, delivery.quarter, delivery.version, row.file_name, row.sheet,
                     row.line, row.column]
                )  # fmt: skip
