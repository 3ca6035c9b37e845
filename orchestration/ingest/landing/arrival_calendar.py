"""When a delivery is expected, and whether it has come.

Pure functions of a contract, of what has landed and of a day. The schedule, the lateness alert and
``csp status`` all ask here, so that they cannot disagree. Nothing here reads a delivery.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import duckdb

from orchestration.config.quarters import next_quarter, quarter_end, quarter_label, quarter_of
from orchestration.config.settings import Settings
from orchestration.errors import EmptyQuarterError
from orchestration.ingest.checking.contract import Contract, load_contracts
from orchestration.ingest.landing.delivery_folder import recover_landings
from orchestration.ingest.landing.landing_zone import quarters_landed
from orchestration.ingest.landing.receipt import delivered_files, odd_entries
from orchestration.warehouse.connection import connect, warehouse_exists

State = Literal["landed", "awaited", "late", "not expected"]
_A_YEAR = 4
"""Quarters after which an annual extract is expected again."""


@dataclass(frozen=True)
class Expectation:
    """One source and quarter: ``due`` is the last day on time, none where nothing is expected."""

    source: str
    quarter: date
    due: date | None
    landed: bool

    def state(self, today: date) -> State:
        """Return the state of the delivery on ``today``."""
        if self.landed:
            return "landed"
        if self.due is None:
            return "not expected"
        return "late" if today > self.due else "awaited"


def due_date(contract: Contract, quarter: date) -> date:
    """Return the last day on which the quarter's delivery is on time."""
    return quarter_end(quarter) + timedelta(days=contract.arrival_days)


def expect(contract: Contract, quarter: date, landed: Collection[date]) -> Expectation:
    """Return what is expected of a source for ``quarter``, given the quarters that have landed.

    A quarterly extract is expected for every quarter; an annual one a year after its last, and for
    each quarter from then until it comes; a one-off never again. Before a supplier's first delivery
    nothing was expected of it.
    """
    has_landed = quarter in landed
    if has_landed or not _is_expected(contract, quarter, landed):
        return Expectation(contract.source, quarter, None, has_landed)
    return Expectation(contract.source, quarter, due_date(contract, quarter), has_landed)


def _is_expected(contract: Contract, quarter: date, landed: Collection[date]) -> bool:
    if contract.cadence == "one-off":
        return False
    earlier = [one for one in landed if one < quarter]
    if contract.cadence == "quarterly" or not earlier:
        return bool(earlier) or not landed
    return _quarters_between(max(earlier), quarter) >= _A_YEAR


def _quarters_between(first: date, last: date) -> int:
    return (last.year - first.year) * 4 + (last.month - first.month) // 3


def next_due(contract: Contract, landed: Collection[date], today: date) -> date | None:
    """Return the next day, from ``today`` on, by which a delivery is expected; or none."""
    if contract.cadence == "one-off":
        return None
    quarter = quarter_of(today - timedelta(days=contract.arrival_days + 100))
    for _ in range(2 * _A_YEAR + 2):
        expected = expect(contract, quarter, landed)
        if expected.due and expected.due >= today:
            return expected.due
        quarter = next_quarter(quarter)
    return None


def landed_quarters(raw: Path, contracts: Mapping[str, Contract]) -> dict[str, list[date]]:
    """Return, by source, the quarters whose folder in the landing zone holds a file, oldest first.

    A landing that was killed half-way is completed or undone first. Raises
    :class:`LandingError` for a folder that is not named after a quarter.
    """
    for name in contracts:
        recover_landings(raw / name)
    return {
        name: [
            quarter
            for quarter in quarters_landed(raw, contract)
            if delivered_files(raw / name / quarter.isoformat())
            or odd_entries(raw / name / quarter.isoformat())
        ]
        for name, contract in contracts.items()
    }


def refuse_empty_quarters(settings: Settings, quarters: Collection[date]) -> None:
    """Raise :class:`EmptyQuarterError` where nothing was ever delivered for one of ``quarters``.

    Looks at the landing zone, and at what is loaded where the warehouse is there.
    """
    contracts = load_contracts()
    loaded: list[date] = []
    if warehouse_exists(settings):
        with connect(settings, read_only=True) as connection, suppress(duckdb.CatalogException):
            loaded = _loaded_quarters(connection, contracts)
    refuse_empty(settings.raw, contracts, quarters, loaded)


def _loaded_quarters(
    connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]
) -> list[date]:
    """Return the quarters of which a delivery is loaded that is more than reference data."""
    reference = [name for name, one in contracts.items() if one.counts == "reference"]
    rows = connection.execute(
        "select distinct quarter from control.deliveries "
        "where state = 'loaded' and not list_contains(?::varchar[], source) order by quarter",
        [reference],
    ).fetchall()
    return [quarter for (quarter,) in rows]


def refuse_empty(
    raw: Path,
    contracts: Mapping[str, Contract],
    quarters: Collection[date],
    loaded: Collection[date] = (),
) -> None:
    """Raise :class:`EmptyQuarterError` where nothing has landed for one of ``quarters``.

    ``loaded`` are quarters of which the warehouse holds a delivery, though its files may be gone.
    """
    delivered = delivered_quarters(raw, contracts) | set(loaded)
    empty = sorted(set(quarters) - delivered)
    if empty:
        raise EmptyQuarterError(_nothing_for(empty, delivered, landed_quarters(raw, contracts)))


def delivered_quarters(raw: Path, contracts: Mapping[str, Contract]) -> set[date]:
    """Return the quarters for which something has landed that is more than reference data.

    A lookup or a population estimate says nothing of what happened in a quarter.
    """
    landed = landed_quarters(raw, contracts)
    return {
        quarter
        for name, quarters in landed.items()
        if contracts[name].counts != "reference"
        for quarter in quarters
    }


def _nothing_for(
    empty: Sequence[date], delivered: Collection[date], landed: Mapping[str, Collection[date]]
) -> str:
    names = ", ".join(f"{quarter_label(one)} ({one})" for one in empty)
    only = sorted(name for name, quarters in landed.items() if set(empty) & set(quarters))
    said = f"Nothing has landed for {names}"
    said += f" but reference data ({', '.join(only)})." if only else "."
    earlier = [one for one in delivered if one < empty[0]]
    if earlier:
        last = max(earlier)
        said += (
            f" The last quarter before it with a delivery is {quarter_label(last)} ({last}): "
            f"`csp refresh {last}` refreshes that one."
        )
    return (
        f"{said} Land a delivery with `csp land`, or build the quarter from earlier deliveries "
        "with --even-if-empty; the release then says so."
    )


def expectations(
    contracts: Mapping[str, Contract], landed: Mapping[str, Collection[date]], quarter: date
) -> list[Expectation]:
    """Return what is expected of every source for ``quarter``, by source."""
    return [expect(contract, quarter, landed[name]) for name, contract in contracts.items()]
