"""``csp status``: what is due, late, refused, loaded and published, and why.

Reads the landing zone, the control tables and the published files; starts neither Dagster nor dbt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
from rich.console import Console
from rich.text import Text

from orchestration.cli.console import styled
from orchestration.cli.delivery_states import (
    DeliveryState,
    Known,
    Version,
    loaded_to,
    read_known,
    sample_quarter,
    state_of_delivery,
)
from orchestration.cli.history import read_anomalies, show_anomalies, unusual
from orchestration.cli.json_output import (
    DeliveryStatus,
    QuarterStatus,
    SourceStatus,
    StatusOutput,
    StatusReleased,
)
from orchestration.cli.purge import show_past_period
from orchestration.cli.report_paths import print_report
from orchestration.cli.tables import ShownTable, print_table
from orchestration.config.quarters import last_closed_quarter, quarter_end, quarter_label
from orchestration.config.settings import Settings
from orchestration.ingest.checking.anomalies import Anomaly
from orchestration.ingest.checking.contract import Contract, load_contracts
from orchestration.ingest.checking.supplier_report import report_path
from orchestration.ingest.landing.arrival_calendar import (
    delivered_quarters,
    expect,
    landed_quarters,
    next_due,
)
from orchestration.publish.withheld_tables import withheld_earlier
from orchestration.releases.published_file import CATALOGUE, SPILL
from orchestration.warehouse.connection import connect
from orchestration.warehouse.scratch import EngineConfig

_SHOWN_REASON = 300


@dataclass(frozen=True)
class Status:
    """The state of two quarters on a day. ``sample``: the latest quarter, of sample data alone."""

    today: date
    sample: date | None
    quarters: tuple[date, date]
    known: Known
    deliveries: Mapping[tuple[str, date], DeliveryState]
    next_due: Mapping[str, date | None]


def read_status(settings: Settings, today: date, *, given: bool = True) -> Status:
    """Return the state of the two latest closed quarters on ``today``.

    Where the day was not ``given`` and only sample data have landed, it is the state at their end:
    nothing more will come, so nothing is late.
    """
    contracts = load_contracts()
    landed = landed_quarters(settings.raw, contracts)
    sample = None if given else sample_quarter(settings, contracts, landed, today)
    closed = sample or last_closed_quarter(today)
    quarters = (last_closed_quarter(closed), closed)
    known = read_known(settings)
    deliveries = {
        (name, quarter): state_of_delivery(
            settings,
            known,
            expect(contract, quarter, landed[name]),
            today,
            is_sample=sample is not None,
        )
        for name, contract in contracts.items()
        for quarter in quarters
    }
    due = {
        name: None if sample else next_due(contract, landed[name], today)
        for name, contract in contracts.items()
    }
    return Status(
        quarter_end(sample) if sample else today, sample, quarters, known, deliveries, due
    )


def show_status(settings: Settings, console: Console, today: date, *, given: bool = True) -> None:
    """Print the state of the two latest closed quarters on ``today``, as :func:`read_status` does.

    For each source: what is due, late, being transferred, refused or loaded, to which quarter it is
    loaded, and when the next delivery is due; then what is published, and why the rest is not.
    """
    status = read_status(settings, today, given=given)
    known = status.known
    if not settings.raw.is_dir():
        console.print(
            styled("[yellow]There is no landing zone at {}.[/] Set CSP_RAW to it.", settings.raw)
        )
    if known.note:
        console.print(known.note)
    _print_deliveries(status, console)
    if made_up := sorted({name for (name, _), one in known.versions.items() if one.synthetic}):
        console.print(styled("[yellow]Synthetic data:[/] {}.", ", ".join(made_up)))
    for quarter in status.quarters:
        standings = {
            name: one.standing for (name, day), one in status.deliveries.items() if day == quarter
        }
        console.print(_in_short(settings, quarter, standings))
    _print_refused(settings, known, console)
    _print_quarantined(settings, status, console)
    if known.versions:
        show_anomalies(settings, console)
        show_past_period(settings, console)
    _print_releases(settings, console)


def _print_deliveries(status: Status, console: Console) -> None:
    labels = [quarter_label(quarter) for quarter in status.quarters]
    title = f"Deliveries on {status.today}"
    if status.sample:
        title = f"Deliveries of the sample, as at {status.today}"
        console.print(
            styled(
                "[bold]Sample data up to {}.[/] All deliveries about crime and people are "
                "synthetic, so nothing is reported as late. `csp status --on DATE` shows what "
                "would be due on a day.",
                f"{status.today:%B %Y}",
            )
        )
    due = () if status.sample else ("Next due",)
    table = ShownTable(("Source", *labels, "Loaded to", *due), title)
    for name, day in status.next_due.items():
        last = loaded_to(status.known, name)
        table.add(
            name,
            *(status.deliveries[name, quarter].shown for quarter in status.quarters),
            quarter_label(last) if last else "nothing",
            *([day] if due else []),
        )
    print_table(table, console)


# --- all of them -----------------------------------------------------------------------------


def _in_short(settings: Settings, quarter: date, standings: Mapping[str, str]) -> Text:
    """Return a line on the state of a quarter and what to do about it."""
    names = {
        standing: [name for name, one in standings.items() if one == standing]
        for standing in (
            "loaded",
            "landed",
            "not loaded",
            "refused",
            "awaited",
            "late",
            "not delivered",
        )
    }
    said = [f"{len(found)} {standing}" for standing, found in names.items() if found]
    published = (settings.published / quarter.isoformat() / "csp.duckdb").exists()
    line = styled(
        "{}: {}; published." if published else "{}: {}; [bold]not published[/].",
        quarter_label(quarter),
        ", ".join(said) or "nothing is expected",
    )
    return line.append(_to_do(quarter, names, published=published))


def _to_do(quarter: date, names: Mapping[str, Sequence[str]], *, published: bool) -> str:
    line = ""
    if names["refused"]:
        line += (
            f" Ask for corrected files of {', '.join(names['refused'])} and land them (`csp land`)."
        )
    elif names["not loaded"]:
        line += f" `csp refresh {quarter}` loads {', '.join(names['not loaded'])}."
    elif not published and not names["loaded"] and not names["landed"]:
        line += " Nothing has landed for it."
    elif not published:
        line += f" `csp refresh {quarter}` publishes it."
    if names["late"]:
        line += f" Ask for {', '.join(names['late'])}."
    return line


def _refused(known: Known) -> list[tuple[str, date, Version]]:
    return sorted(
        (source, quarter, version)
        for (source, quarter), version in known.versions.items()
        if version.state == "refused"
    )


def _print_refused(settings: Settings, known: Known, console: Console) -> None:
    for source, quarter, version in _refused(known):
        console.print(
            styled(
                "[bold red]Refused:[/] {} {} (version {}). {}",
                source,
                quarter,
                version.version,
                _reason(version),
            )
        )
        print_report(settings, source, quarter, version.version, console)


def _reason(version: Version) -> str:
    reason = version.reason or ""
    return reason[:_SHOWN_REASON] + (" ..." if len(reason) > _SHOWN_REASON else "")


def _print_quarantined(settings: Settings, status: Status, console: Console) -> None:
    """Name the reports on rows that were left out of the deliveries shown."""
    for (source, quarter), one in status.deliveries.items():
        if one.state == "loaded" and one.rows_refused and one.version:
            print_report(settings, source, quarter, one.version, console)


def _quarter(quarter: date) -> str:
    return f"{quarter_label(quarter)} ({quarter})"


def _print_releases(settings: Settings, console: Console) -> None:
    releases = _releases(settings)
    if not releases:
        console.print("Nothing is published yet.")
        return
    table = ShownTable(("Release", "Built (UTC)", "Synthetic", "Current", "Withheld"), "Published")
    for name, release in releases:
        if release is None:
            table.add(name, "", "", styled("[red]cannot be read[/]"), "")
            continue
        table.add(
            _quarter(release.quarter),
            f"{release.built_at:%Y-%m-%d %H:%M}",
            release.synthetic,
            "current" if release.current else "",
            ", ".join(release.withheld),
        )
    print_table(table, console)


def _releases(settings: Settings) -> list[tuple[str, StatusReleased | None]]:
    """Return the release of each quarter, by its folder; None where it cannot be read."""
    files = sorted(settings.published.glob("*-*-*/csp.duckdb"))
    at = settings.published / "csp.duckdb"
    current = _release(at, None) if files and at.exists() else None
    return [(file.parent.name, _release(file, current)) for file in files]


def _release(file: Path, current: StatusReleased | None) -> StatusReleased | None:
    try:
        config: EngineConfig = {"temp_directory": str(file.parent / SPILL)}
        with duckdb.connect(file, read_only=True, config=config) as connection:
            rows = connection.execute("select quarter, built_at, synthetic from release").fetchall()
            withheld = sorted(withheld_earlier(connection, CATALOGUE))
    except duckdb.Error:
        return None
    quarter, built, synthetic = rows[0]
    return StatusReleased(
        quarter=quarter,
        built_at=built,
        synthetic=synthetic,
        current=current is not None and current.quarter == quarter,
        withheld=withheld,
    )


def landed_to(settings: Settings, contracts: dict[str, Contract]) -> date | None:
    """Return the latest quarter for which more than reference data has landed, or None."""
    return max(delivered_quarters(settings.raw, contracts), default=None)


# --- as JSON ---------------------------------------------------------------------------------


def status_output(settings: Settings, today: date, *, given: bool = True) -> StatusOutput:
    """Return what ``csp status --json`` prints, as :func:`read_status` reads it."""
    status = read_status(settings, today, given=given)
    known = status.known
    shown = dict(status.deliveries)
    for source, quarter, version in _refused(known):
        shown.setdefault(
            (source, quarter),
            DeliveryState(source, quarter, "refused", version.version, version.rows_refused),
        )
    return StatusOutput(
        on=status.today,
        sample_up_to=status.today if status.sample else None,
        warehouse_readable=known.readable,
        quarters=[
            QuarterStatus(
                quarter=quarter,
                label=quarter_label(quarter),
                published=(settings.published / quarter.isoformat() / "csp.duckdb").exists(),
            )
            for quarter in status.quarters
        ],
        sources=[
            SourceStatus(source=name, loaded_to=loaded_to(known, name), next_due=due)
            for name, due in status.next_due.items()
        ],
        deliveries=[_delivery(settings, known, shown[key]) for key in sorted(shown)],
        unusual=unusual(_anomalies(settings, known)),
        releases=[release for _, release in _releases(settings) if release],
    )


def _anomalies(settings: Settings, known: Known) -> Sequence[Anomaly]:
    if not known.versions:
        return []
    with connect(settings, read_only=True) as connection:
        return read_anomalies(connection, None)


def _delivery(settings: Settings, known: Known, one: DeliveryState) -> DeliveryStatus:
    version = known.versions.get((one.source, one.quarter))
    report = None
    if one.version is not None:
        report = report_path(settings.supplier_reports, one.source, one.quarter, one.version)
    return DeliveryStatus(
        source=one.source,
        quarter=one.quarter,
        state=one.state,
        version=one.version,
        rows_refused=one.rows_refused,
        reason=_reason(version) if version and one.state == "refused" else None,
        report=str(report) if report else None,
        due=one.due,
        days_late=one.days_late,
    )
