"""The state of each delivery of a quarter, from the landing zone and the warehouse's records.

``csp status`` shows it, as a table or as JSON. Nothing here prints or writes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import duckdb
from rich.text import Text

from orchestration.cli.console import styled
from orchestration.config.quarters import last_closed_quarter
from orchestration.config.settings import Settings
from orchestration.errors import WarehouseBusyError, WarehouseUnreadableError
from orchestration.ingest.checking.contract import Contract, contract_of
from orchestration.ingest.landing.arrival_calendar import Expectation
from orchestration.ingest.landing.file_index import indexed_files
from orchestration.ingest.landing.landing_zone import FileState, read_delivery
from orchestration.ingest.landing.receipt import Receipt, ReceiptError, unfinished_files
from orchestration.warehouse.connection import connect, warehouse_exists

State = Literal[
    "loaded", "refused", "changed", "not loaded", "landed", "being transferred", "awaited",
    "late", "not expected", "not delivered",
]  # fmt: skip
"""``changed``: other files than those that were loaded; ``landed``: what is loaded is not known;
``not delivered``: of sample data, of which nothing more will come."""

_VERSIONS = """
select source, quarter, version, state, nature = 'synthetic', rows_refused, reason,
    content_sha256
from control.deliveries
qualify row_number() over (partition by source, quarter order by version desc) = 1
"""


@dataclass(frozen=True)
class Version:
    """The latest version of a delivery that a load has met."""

    version: int
    state: str
    synthetic: bool
    rows_refused: int
    reason: str | None
    content_sha256: str


@dataclass
class Known:
    """What the warehouse knows: deliveries met, and what lay in the landing zone then.

    ``note`` says why nothing or not all is known.
    """

    readable: bool = False
    note: Text | str = ""
    versions: dict[tuple[str, date], Version] = field(default_factory=dict)
    files: dict[tuple[str, date], dict[FileState, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class DeliveryState:
    """The state of one delivery; ``due`` and ``days_late`` where it has not come."""

    source: str
    quarter: date
    state: State
    version: int | None = None
    rows_refused: int = 0
    due: date | None = None
    days_late: int | None = None

    @property
    def standing(self) -> str:
        """The state as the line on a quarter counts it."""
        groups = {"changed": "not loaded", "being transferred": "awaited"}
        return groups.get(self.state, self.state)

    @property
    def shown(self) -> Text | str:
        """The state as the table shows it."""
        match self.state:
            case "loaded":
                said = styled("[green]loaded[/] v{}", self.version)
                if self.rows_refused:
                    said.append(f", {self.rows_refused:,} quarantined")
                return said
            case "refused":
                return styled("[bold red]refused[/] v{}", self.version)
            case "changed":
                return styled("[yellow]changed since v{}[/]", self.version)
            case "not loaded":
                return styled("[yellow]landed, not loaded[/]")
            case "being transferred":
                return styled("[yellow]being transferred[/]")
            case "late":
                return styled("[red]late[/] {:,} days", self.days_late)
            case "awaited":
                return f"due {self.due}"
            case "not expected":
                return "-"
        return self.state


def read_known(settings: Settings) -> Known:
    """Return what the warehouse knows of deliveries; one that cannot be read now says why."""
    known = Known()
    if not warehouse_exists(settings):
        return Known(readable=True, note="There is no warehouse yet: `csp refresh` makes it.")
    try:
        with connect(settings, read_only=True) as connection:
            for source, quarter, *version in connection.execute(_VERSIONS).fetchall():
                known.versions[source, quarter] = Version(*version)
            known.files = {key: indexed_files(connection, *key) for key in known.versions}
    except (WarehouseBusyError, WarehouseUnreadableError) as error:
        known.note = styled("[yellow]What is loaded cannot be shown now. {}[/]", error)
        return known
    except duckdb.CatalogException:
        known.note = "The warehouse is empty: `csp refresh` fills it."
    except duckdb.BinderException:
        # An earlier version kept less of each file: the checksums are taken again.
        known.files = {}
    known.readable = True
    return known


def state_of_delivery(
    settings: Settings, known: Known, expected: Expectation, today: date, *, is_sample: bool
) -> DeliveryState:
    """Return the state of a delivery on ``today``; of sample data nothing is awaited or late."""
    source, quarter = expected.source, expected.quarter
    if expected.landed:
        return _landed(settings, known, source, quarter)
    if unfinished_files(settings.raw / source / quarter.isoformat()):
        return DeliveryState(source, quarter, "being transferred")
    state = expected.state(today)
    if state in ("late", "awaited") and is_sample:
        return DeliveryState(source, quarter, "not delivered")
    if state == "late" and expected.due:
        days = (today - expected.due).days
        return DeliveryState(source, quarter, "late", due=expected.due, days_late=days)
    if state == "awaited":
        return DeliveryState(source, quarter, "awaited", due=expected.due)
    return DeliveryState(source, quarter, "not expected")


def _landed(settings: Settings, known: Known, source: str, quarter: date) -> DeliveryState:
    if not known.readable:
        return DeliveryState(source, quarter, "landed")
    version = known.versions.get((source, quarter))
    if version is None:
        return DeliveryState(source, quarter, "not loaded")
    if version.content_sha256 != _content(settings, known, (source, quarter)):
        return DeliveryState(source, quarter, "changed", version.version)
    state: State = "refused" if version.state == "refused" else "loaded"
    return DeliveryState(source, quarter, state, version.version, version.rows_refused)


def _content(settings: Settings, known: Known, key: tuple[str, date]) -> str | None:
    """Return the identity of what lies in the landing zone; only what was replaced is read."""
    source, quarter = key
    contract = contract_of(source)
    delivery = read_delivery(settings.raw, contract, quarter, known.files.get(key))
    return delivery.content_sha256 if delivery else None


def loaded_to(known: Known, source: str) -> date | None:
    """Return the latest quarter of which a source's delivery is loaded, or None."""
    return max(
        (
            quarter
            for (name, quarter), version in known.versions.items()
            if name == source and version.state == "loaded"
        ),
        default=None,
    )


# --- sample data -----------------------------------------------------------------------------


def sample_quarter(
    settings: Settings,
    contracts: Mapping[str, Contract],
    landed: Mapping[str, Sequence[date]],
    today: date,
) -> date | None:
    """Return the latest quarter of sample data, or None where the landing zone holds other data.

    It is a sample where every delivery about crime or people is marked as synthetic, and the last
    of them is older than the two latest closed quarters. Public tables beside it may be real.
    """
    held = {
        (name, quarter)
        for name, quarters in landed.items()
        if contracts[name].counts in ("offences", "people")
        for quarter in quarters
    }
    latest = max((quarter for _, quarter in held), default=None)
    if latest is None or latest >= last_closed_quarter(last_closed_quarter(today)):
        return None
    return latest if _all_synthetic(settings, held) else None


def _all_synthetic(settings: Settings, held: Collection[tuple[str, date]]) -> bool:
    for source, quarter in held:
        try:
            receipt = Receipt.read(settings.raw / source / quarter.isoformat())
        except ReceiptError:
            return False
        if receipt is None or receipt.nature != "synthetic":
            return False
    return True
