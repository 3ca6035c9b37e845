"""``csp history``: every version of a source's deliveries, and the anomalies found in them."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date

import duckdb
from rich.console import Console

from orchestration.cli.console import is_piped, styled
from orchestration.cli.json_output import (
    DeliveredFile,
    DeliveryVersion,
    HistoryOutput,
    Superseded,
    Unusual,
)
from orchestration.cli.report_paths import print_report
from orchestration.cli.tables import ShownTable, print_table
from orchestration.config.settings import Settings
from orchestration.ingest.checking.anomalies import (
    Anomaly,
    listed_anomalies,
)
from orchestration.ingest.checking.contract import require_source
from orchestration.ingest.checking.supplier_report import report_path
from orchestration.ingest.loading.history import DeliveryRecord, Superseding, delivery_history
from orchestration.warehouse.connection import connect

_STATES = {"loaded": "[green]{}[/]{}", "refused": "[red]{}[/]{}"}

_SHOWN_CHECKSUM = 16


def show_history(settings: Settings, source: str, quarter: date | None, console: Console) -> None:
    """Print every version of a source's deliveries, what replaced it, and its files.

    Raises :class:`LandingError` for an unknown source.
    """
    records, anomalies = _history(settings, source, quarter)
    if not records:
        console.print(f"Nothing of {source} has been loaded{f' for {quarter}' if quarter else ''}.")
        return
    print_table(_versions(source, records), console)
    print_table(_files(records, whole=is_piped(console)), console)
    for one in records:
        if one.rows_refused or one.state == "refused":
            print_report(settings, source, one.quarter, one.version, console)
    for anomaly in anomalies:
        print_anomaly(anomaly, console)


def history_output(settings: Settings, source: str, quarter: date | None) -> HistoryOutput:
    """Return what ``csp history --json`` prints. Raises as :func:`show_history` does."""
    records, anomalies = _history(settings, source, quarter)
    return HistoryOutput(
        source=source,
        versions=[_version(settings, one) for one in records],
        unusual=unusual(anomalies),
    )


def _history(
    settings: Settings, source: str, quarter: date | None
) -> tuple[list[DeliveryRecord], list[Anomaly]]:
    """Return the versions of a source's deliveries and the anomalies found in them."""
    require_source(source)
    with connect(settings, read_only=True) as connection:
        try:
            records = delivery_history(connection, source, quarter)
        except duckdb.CatalogException:
            records = []
        anomalies = read_anomalies(connection, source)
    quarters = {record.quarter for record in records}
    return records, [one for one in anomalies if one.quarter in quarters]


def _version(settings: Settings, one: DeliveryRecord) -> DeliveryVersion:
    report = report_path(settings.supplier_reports, one.source, one.quarter, one.version)
    kept = {name: getattr(one, name) for name in DeliveryVersion.model_fields if hasattr(one, name)}
    return DeliveryVersion(
        **kept
        | {
            "reason": one.reason or None,
            "report": str(report) if report else None,
            "superseded_by": [
                Superseded(
                    delivery=later.delivery,
                    first=later.first,
                    last=later.last,
                    whole=later.version_only,
                )
                for later in one.superseded
            ],
            "files": [DeliveredFile(**asdict(file)) for file in one.files],
        }
    )


def unusual(anomalies: Iterable[Anomaly]) -> list[Unusual]:
    """Return anomalies as ``--json`` prints them."""
    return [
        Unusual(
            source=one.source,
            quarter=one.quarter,
            version=one.version,
            period=one.period,
            rule=one.rule,
            message=one.message,
            accepted=one.reason is not None,
        )
        for one in anomalies
    ]


def read_anomalies(connection: duckdb.DuckDBPyConnection, source: str | None) -> list[Anomaly]:
    """Return the anomalies of the last refresh, of one source or of all."""
    try:
        return listed_anomalies(connection, source)
    except duckdb.CatalogException:
        # A warehouse of a version that did not look for them.
        return []


def _versions(source: str, records: list[DeliveryRecord]) -> ShownTable:
    table = ShownTable(
        ("Delivery", "State", "Received", "Loaded (UTC)", "Rows loaded", "Refused", "Covers",
         "Superseded by", "Content"),
        f"Deliveries of {source}",
    )  # fmt: skip
    for one in records:
        nature = ", synthetic" if one.nature == "synthetic" else ""
        table.add(
            f"{one.quarter} v{one.version}",
            styled(_STATES[one.state], one.state, nature),
            f"{one.received_at:%Y-%m-%d %H:%M}" if one.received_at else "no receipt",
            f"{one.loaded_at:%Y-%m-%d %H:%M}",
            one.rows_loaded,
            one.rows_refused,
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


def _files(records: list[DeliveryRecord], *, whole: bool) -> ShownTable:
    """Return the table of the files; at a terminal checksums are shortened."""
    table = ShownTable(
        ("Delivery", "No.", "File", "Bytes", "Rows loaded", "Refused", "SHA-256"), "Files"
    )
    for one in records:
        for file in one.files:
            table.add(
                f"{one.quarter} v{one.version}",
                file.number,
                file.name,
                file.bytes,
                file.rows_loaded,
                file.rows_refused,
                file.sha256 if whole else file.sha256[:_SHOWN_CHECKSUM],
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
        for one in read_anomalies(connection, None):
            print_anomaly(one, console)
