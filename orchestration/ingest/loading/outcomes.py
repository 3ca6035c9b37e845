"""The outcome of each delivery, which a load returns."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from orchestration.ingest.checking.faults import Fault


@dataclass
class Outcome:
    """The outcome of one delivery."""

    source: str
    quarter: date
    version: int
    state: Literal["loaded", "refused"]
    rows_delivered: int = 0
    rows_loaded: int = 0
    rows_refused: int = 0
    reason: str | None = None
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)


@dataclass
class LoadReport:
    """What one load of a source did: new outcomes, and how many deliveries had not changed."""

    source: str
    outcomes: list[Outcome] = field(default_factory=list)
    unchanged: int = 0
    still_refused: list[Outcome] = field(default_factory=list)
    passed_over: list[Fault] = field(default_factory=list)
    """Why deliveries were left for the next refresh: they are still being transferred."""

    @property
    def refused(self) -> list[Outcome]:
        """Deliveries that are refused now, whether in this load or in an earlier one."""
        return [one for one in self.outcomes if one.state == "refused"] + self.still_refused

    @property
    def warnings(self) -> list[Fault]:
        """What the new deliveries brought up that stopped none of them."""
        brought = [warning for outcome in self.outcomes for warning in outcome.warnings]
        return self.passed_over + brought

    def total(self, count: Literal["rows_delivered", "rows_loaded", "rows_refused"]) -> int:
        """Return the sum of a count over the new outcomes."""
        return sum(getattr(outcome, count) for outcome in self.outcomes)
