"""``csp history``: every version of a source's deliveries, and the anomalies found in them."""

from datetime import date

import duckdb
from rich.console import Console
from rich.table import Column, Table

from orchestration.cli.console import styled
from orchestration.config.settings import Settings
from orchestration.errors import LandingError
from orchestration.ingest.checking.anomalies import (
    Anomaly,
    listed_anomalies,
)
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.loading.history import DeliveryRecord, Superseding, delivery_history
from orchestration.warehouse.connection import connect

_STATES = {"loaded": "[green]{}[/]{}", "refused": "[red]{}[/]{}"}


def show_history(settings: Settings, source: str, quarter: date | None, console: Console) -> None:
    """Print every version of a source's deliveries, what replaced it, and its files.

    Raises :class:`LandingError` for an unknown source.
    """
    require_source(source)
    with connect(settings, read_only=True) as connection:
        try:
            records = delivery_history(connection, source, quarter)
        except duckdb.CatalogException:
            records = []
        anomalies = _anomalies(connection, source)
    if not records:
        console.print(f"Nothing of {source} has been loaded{f' for {quarter}' if quarter else ''}.")
        return
    console.print(_versions(source, records))
    console.print(_files(records))
    quarters = {record.quarter for record in records}
    for one in anomalies:
        if one.quarter in quarters:
            print_anomaly(one, console)


def require_source(source: str) -> None:
    """Raise :class:`LandingError` for a source that there is not."""
    contracts = load_contracts()
    if source not in contracts:
        raise LandingError(f"There is no source '{source}'. The sources: {', '.join(contracts)}.")


def _anomalies(connection: duckdb.DuckDBPyConnection, source: str | None) -> list[Anomaly]:
    try:
        return listed_anomalies(connection, source)
    except duckdb.CatalogException:
        # A warehouse of a version that did not look for them.
        return []


def _versions(source: str, records: list[DeliveryRecord]) -> Table:
    table = Table(
        Column("Delivery", no_wrap=True), "State", "Received", "Loaded (UTC)",
        Column("Rows loaded", justify="right"), Column("Refused", justify="right"),
        "Covers", "Superseded by", "Content (SHA-256)",
        title=f"Deliveries of {source}",
    )  # fmt: skip
    for one in records:
        nature = ", synthetic" if one.nature == "synthetic" else ""
        table.add_row(
            f"{one.quarter} v{one.version}",
            styled(_STATES[one.state], one.state, nature),
            f"{one.received_at:%Y-%m-%d %H:%M}" if one.received_at else "no receipt",
            f"{one.loaded_at:%Y-%m-%d %H:%M}",
            f"{one.rows_loaded:,}",
            f"{one.rows_refused:,}",
            _span(one.first_period, one.last_period),
            "; ".join(_superseding(later) for later in one.superseded),
            one.content_sha256[:12],
        )
    return table


def _span(first: date | None, last: date | None) -> str:
    if first is None or last is None:
        return ""
    return f"{first}" if first == last else f"{first} to {last}"


def _superseding(one: Superseding) -> str:
    if one.version_only:
        return f"{one.delivery} (the whole delivery)"
    return f"{one.delivery} for {_span(one.first, one.last)}"


def _files(records: list[DeliveryRecord]) -> Table:
    table = Table(
        Column("Delivery", no_wrap=True), Column("No.", justify="right"), "File",
        Column("Bytes", justify="right"),
        Column("Rows loaded", justify="right"), Column("Refused", justify="right"),
        Column("SHA-256", no_wrap=True),
        title="Files",
    )  # fmt: skip
    for one in records:
        for file in one.files:
            table.add_row(
                f"{one.quarter} v{one.version}",
                str(file.number),
                file.name,
                f"{file.bytes:,}",
                f"{file.rows_loaded:,}",
                f"{file.rows_refused:,}",
                file.sha256,
            )
    return table


def print_anomaly(one: Anomaly, console: Console) -> None:
    """Print an anomaly, with who accepted it and why where somebody did."""
    if one.reason is None:
        console.print(styled("[yellow]Unusual:[/] {}", one))
        return
    console.print(
        f"Accepted: {one} by {one.accepted_by or 'somebody'}, {one.accepted_at:%Y-%m-%d}: "
        f"{one.reason}"
    )


def show_anomalies(settings: Settings, console: Console) -> None:
    """Print the anomalies of the last refresh, accepted or not."""
    with connect(settings, read_only=True) as connection:
        for one in _anomalies(connection, None):
            print_anomaly(one, console)
