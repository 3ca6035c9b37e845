"""``csp status``: what is due, late, refused, loaded and published, and why.

Reads the landing zone, the control tables and the published files; starts neither Dagster nor dbt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from orchestration.cli.console import styled
from orchestration.cli.history import show_anomalies
from orchestration.cli.purge import show_past_period
from orchestration.config.quarters import last_closed_quarter, quarter_label
from orchestration.config.settings import Settings
from orchestration.errors import WarehouseBusyError, WarehouseUnreadableError
from orchestration.ingest.checking.contract import Contract, contract_of, load_contracts
from orchestration.ingest.landing.arrival_calendar import (
    Expectation,
    delivered_quarters,
    expect,
    landed_quarters,
    next_due,
)
from orchestration.ingest.landing.file_index import indexed_files
from orchestration.ingest.landing.landing_zone import FileState, read_delivery
from orchestration.ingest.landing.receipt import unfinished_files
from orchestration.publish.withheld_tables import withheld_earlier
from orchestration.releases.published_file import CATALOGUE, SPILL
from orchestration.warehouse.connection import connect
from orchestration.warehouse.scratch import EngineConfig

_VERSIONS = """
select source, quarter, version, state, nature = 'synthetic', rows_refused, reason,
    content_sha256
from control.deliveries
qualify row_number() over (partition by source, quarter order by version desc) = 1
"""
_SHOWN_REASON = 300


@dataclass(frozen=True)
class _Version:
    """The latest version of a delivery that a load has met."""

    version: int
    state: str
    synthetic: bool
    rows_refused: int
    reason: str | None
    content_sha256: str


@dataclass
class _Known:
    """What the warehouse knows: deliveries met, and what lay in the landing zone then."""

    readable: bool = False
    versions: dict[tuple[str, date], _Version] = field(default_factory=dict)
    files: dict[tuple[str, date], dict[FileState, str]] = field(default_factory=dict)


def show_status(settings: Settings, console: Console, today: date) -> None:
    """Print the state of the two latest closed quarters on ``today``.

    For each source: what is due, late, being transferred, refused or loaded, to which quarter it is
    loaded, and when the next delivery is due; then what is published, and why the rest is not.
    """
    contracts = load_contracts()
    landed = landed_quarters(settings.raw, contracts)
    known = _known(settings, console)
    closed = last_closed_quarter(today)
    quarters = (last_closed_quarter(closed), closed)
    cells = {
        (name, quarter): _cell(settings, known, expect(contract, quarter, landed[name]), today)
        for name, contract in contracts.items()
        for quarter in quarters
    }
    table = Table(
        Column("Source", no_wrap=True),
        *(quarter_label(quarter) for quarter in quarters),
        "Loaded to",
        Column("Next due", no_wrap=True),
        title=f"Deliveries on {today}",
    )
    for name, contract in contracts.items():
        due = next_due(contract, landed[name], today)
        table.add_row(
            name,
            *(cells[name, quarter].words for quarter in quarters),
            _loaded_to(known, name),
            str(due) if due else "",
        )
    console.print(table)
    if made_up := sorted({name for (name, _), one in known.versions.items() if one.synthetic}):
        console.print(styled("[yellow]Synthetic data:[/] {}.", ", ".join(made_up)))
    for quarter in quarters:
        standings = {name: cells[name, quarter].standing for name in contracts}
        console.print(_in_short(settings, quarter, standings))
    _print_refused(known, console)
    if known.versions:
        show_anomalies(settings, console)
        show_past_period(settings, console)
    console.print(_releases(settings))


# --- one delivery ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Cell:
    """The state of one delivery, as a word and as it is shown."""

    standing: str
    words: str | Text


def _cell(settings: Settings, known: _Known, expected: Expectation, today: date) -> _Cell:
    if expected.landed:
        return _landed_cell(settings, known, expected)
    folder = settings.raw / expected.source / expected.quarter.isoformat()
    if unfinished_files(folder):
        return _Cell("awaited", styled("[yellow]being transferred[/]"))
    state = expected.state(today)
    if state == "late" and expected.due:
        days = (today - expected.due).days
        return _Cell("late", styled("[red]late[/] {:,} days", days))
    if state == "awaited":
        return _Cell("awaited", f"due {expected.due}")
    return _Cell("not expected", "-")


def _landed_cell(settings: Settings, known: _Known, expected: Expectation) -> _Cell:
    key = (expected.source, expected.quarter)
    if not known.readable:
        return _Cell("landed", "landed")
    version = known.versions.get(key)
    if version is None:
        return _Cell("not loaded", styled("[yellow]landed, not loaded[/]"))
    if version.content_sha256 != _content(settings, known, key):
        return _Cell("not loaded", styled("[yellow]changed since v{}[/]", version.version))
    if version.state == "refused":
        return _Cell("refused", styled("[bold red]refused[/] v{}", version.version))
    said = styled("[green]loaded[/] v{}", version.version)
    if version.rows_refused:
        said.append(f", {version.rows_refused:,} quarantined")
    return _Cell("loaded", said)


def _content(settings: Settings, known: _Known, key: tuple[str, date]) -> str | None:
    """Return the identity of what lies in the landing zone; only what was replaced is read."""
    source, quarter = key
    contract = contract_of(source)
    delivery = read_delivery(settings.raw, contract, quarter, known.files.get(key))
    return delivery.content_sha256 if delivery else None


def _known(settings: Settings, console: Console) -> _Known:
    known = _Known()
    if not settings.warehouse.exists():
        console.print("There is no warehouse yet: `csp refresh` makes it.")
        known.readable = True
        return known
    try:
        with connect(settings, read_only=True) as connection:
            for source, quarter, *version in connection.execute(_VERSIONS).fetchall():
                known.versions[source, quarter] = _Version(*version)
            known.files = {key: indexed_files(connection, *key) for key in known.versions}
    except (WarehouseBusyError, WarehouseUnreadableError) as error:
        console.print(styled("[yellow]What is loaded cannot be shown now. {}[/]", error))
        return known
    except duckdb.CatalogException:
        console.print("The warehouse is empty: `csp refresh` fills it.")
    except duckdb.BinderException:
        # An earlier version kept less of each file: the checksums are taken again.
        known.files = {}
    known.readable = True
    return known


# --- all of them -----------------------------------------------------------------------------


def _loaded_to(known: _Known, source: str) -> str:
    loaded = [
        quarter
        for (name, quarter), version in known.versions.items()
        if name == source and version.state == "loaded"
    ]
    return quarter_label(max(loaded)) if loaded else "nothing"


def _in_short(settings: Settings, quarter: date, standings: Mapping[str, str]) -> Text:
    """Return a line on the state of a quarter and what to do about it."""
    names = {
        standing: [name for name, one in standings.items() if one == standing]
        for standing in ("loaded", "landed", "not loaded", "refused", "awaited", "late")
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


def _print_refused(known: _Known, console: Console) -> None:
    for (source, quarter), version in sorted(known.versions.items()):
        if version.state == "refused":
            reason = version.reason or ""
            shown = reason[:_SHOWN_REASON] + (" ..." if len(reason) > _SHOWN_REASON else "")
            console.print(
                styled(
                    "[bold red]Refused:[/] {} {} (version {}). {}",
                    source,
                    quarter,
                    version.version,
                    shown,
                )
            )


def _quarter(quarter: date) -> str:
    return f"{quarter_label(quarter)} ({quarter})"


def _releases(settings: Settings) -> Table | str:
    files = sorted(settings.published.glob("*-*-*/csp.duckdb"))
    if not files:
        return "Nothing is published yet."
    at = settings.published / "csp.duckdb"
    current = _release(at) if at.exists() else None
    table = Table("Release", "Built (UTC)", "Synthetic", "Current", "Withheld", title="Published")
    for file in files:
        release = _release(file)
        if release is None:
            table.add_row(file.parent.name, "", "", styled("[red]cannot be read[/]"))
            continue
        quarter, built, synthetic, withheld = release
        is_current = current is not None and current[0] == quarter
        table.add_row(
            _quarter(quarter),
            f"{built:%Y-%m-%d %H:%M}",
            "yes" if synthetic else "no",
            "current" if is_current else "",
            ", ".join(withheld),
        )
    return table


def _release(file: Path) -> tuple[date, datetime, bool, list[str]] | None:
    """Return quarter, time and nature of a release, and the tables withheld from it."""
    try:
        config: EngineConfig = {"temp_directory": str(file.parent / SPILL)}
        with duckdb.connect(file, read_only=True, config=config) as connection:
            rows = connection.execute("select quarter, built_at, synthetic from release").fetchall()
            withheld = sorted(withheld_earlier(connection, CATALOGUE))
    except duckdb.Error:
        return None
    quarter, built, synthetic = rows[0]
    return quarter, built, synthetic, withheld


def landed_to(settings: Settings, contracts: dict[str, Contract]) -> date | None:
    """Return the latest quarter for which more than reference data has landed, or None."""
    return max(delivered_quarters(settings.raw, contracts), default=None)
