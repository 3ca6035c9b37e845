"""``csp status``, and the tables about sources that a refresh closes with."""

from datetime import date, datetime
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Column, Table

from orchestration.cli.histories import show_anomalies
from orchestration.errors import WarehouseBusyError
from orchestration.ingest.contract import Contract, load_contracts
from orchestration.ingest.landing import quarters_landed
from orchestration.quarters import quarter_label
from orchestration.settings import Settings
from orchestration.warehouse import connect

_STANDING = """
select
    source,
    quarter,
    version,
    state,
    nature,
    rows_loaded,
    rows_refused,
    loaded_at
from control.deliveries
qualify row_number() over (partition by source order by quarter desc, version desc) = 1
"""


def show_status(settings: Settings, console: Console) -> None:
    """Print what has landed, what is loaded or refused, and which releases are published."""
    contracts = load_contracts()
    loaded = _loaded(settings, console)
    table = Table(
        Column("Source", no_wrap=True),
        "Landed to",
        "Loaded to",
        "Version",
        "State",
        "Rows",
        "Refused",
        title="Sources",
    )
    for name, contract in contracts.items():
        landed = quarters_landed(settings.raw, contract)
        table.add_row(
            name, _quarter(landed[-1]) if landed else "nothing", *_state(loaded.get(name))
        )
    console.print(table)
    if loaded:
        show_anomalies(settings, console)
    console.print(_releases(settings))


def _loaded(settings: Settings, console: Console) -> dict[str, tuple[Any, ...]]:
    if not settings.warehouse.exists():
        console.print("There is no warehouse yet: `csp refresh` makes it.")
        return {}
    try:
        with connect(settings, read_only=True) as connection:
            return {row[0]: row for row in connection.execute(_STANDING).fetchall()}
    except WarehouseBusyError as error:
        console.print(f"[yellow]{error}[/]")
    except duckdb.CatalogException:
        console.print("The warehouse is empty: `csp refresh` fills it.")
    return {}


def _quarter(quarter: date) -> str:
    return f"{quarter_label(quarter)} ({quarter})"


def _state(row: tuple[Any, ...] | None) -> tuple[str, ...]:
    if row is None:
        return ("nothing", "", "", "", "")
    _, quarter, version, state, nature, rows, refused, _ = row
    colour = "green" if state == "loaded" else "red"
    said = f"[{colour}]{state}[/]" + (", synthetic" if nature == "synthetic" else "")
    return (_quarter(quarter), str(version), said, f"{rows:,}", f"{refused:,}")


def _releases(settings: Settings) -> Table | str:
    files = sorted(settings.published.glob("*-*-*/csp.duckdb"))
    if not files:
        return "Nothing is published yet."
    current = settings.published / "csp.duckdb"
    table = Table("Release", "Built (UTC)", "Synthetic", "Current", "File", title="Published")
    for file in files:
        quarter, built, synthetic = _release(file)
        is_current = current.exists() and _release(current)[0] == quarter
        table.add_row(
            _quarter(quarter),
            f"{built:%Y-%m-%d %H:%M}",
            "yes" if synthetic else "no",
            "current" if is_current else "",
            str(file),
        )
    return table


def _release(file: Any) -> tuple[date, datetime, bool]:
    with duckdb.connect(file, read_only=True) as connection:
        rows = connection.execute("select quarter, built_at, synthetic from release").fetchall()
    quarter, built, synthetic = rows[0]
    return quarter, built, synthetic


def landed_to(settings: Settings, contracts: dict[str, Contract]) -> date | None:
    """Return the latest quarter for which any source has landed, or None."""
    landed = [quarters_landed(settings.raw, contract)[-1:] for contract in contracts.values()]
    return max((quarters[0] for quarters in landed if quarters), default=None)
