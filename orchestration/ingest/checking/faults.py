"""Faults of a delivery, described so that a supplier can act on them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["submission", "record", "warning"]
"""What a fault does: the delivery is refused; its row is refused; it is loaded and reported."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: where, what was found, which rule, and what to do."""

    rule: str
    message: str
    file: str | None = None
    sheet: str | None = None
    line: int | None = None
    column: str | None = None
    value: str | None = None
    severity: Severity = "submission"

    def __str__(self) -> str:
        place = [
            self.file,
            f"sheet '{self.sheet}'" if self.sheet else None,
            f"line {self.line}" if self.line else None,
            f"column '{self.column}'" if self.column else None,
        ]
        where = ", ".join(part for part in place if part)
        found = f" Found: {self.value!r}." if self.value is not None else ""
        return f"{where}: {self.message}{found} [rule: {self.rule}]".removeprefix(": ")


class SubmissionError(Exception):
    """The delivery cannot be used at all: nothing of it is loaded."""

    def __init__(self, faults: Fault | Iterable[Fault]) -> None:
        self.faults = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__(" ".join(str(fault) for fault in self.faults))
