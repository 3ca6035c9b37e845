"""Faults of a delivery, described so that a supplier can act on them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["submission", "record", "warning"]
"""What a fault does: the delivery is refused; its row is refused; it is loaded and reported."""


_OPEN, _CLOSE = "\ue000", "\ue001"
_GIVEN = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")


def given(text: object) -> str:
    """Mark a supplier's own text within a message: it is shown only where it is harmless.

    Every heading, sheet name, file name, series, day and value in a message is marked.
    """
    return f"{_OPEN}{str(text).replace(_OPEN, '').replace(_CLOSE, '')}{_CLOSE}"


def quoted(text: object) -> str:
    """Mark a supplier's own text within a message, and put it in quotation marks."""
    return f"'{given(text)}'"


def with_given(message: str, shown: Callable[[str], str]) -> str:
    """Return a message with each marked text as ``shown`` returns it."""
    said = _GIVEN.sub(lambda found: shown(found[1]), message)
    return said.replace(_OPEN, "").replace(_CLOSE, "")


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: where, what was found, which rule, and what to do.

    A supplier's own texts in ``message`` are marked (:func:`given`). ``shown_texts`` turns a fault
    into one that may be shown, which ``is_shown`` says.
    """

    rule: str
    message: str
    file: str | None = None
    sheet: str | None = None
    line: int | None = None
    column: str | None = None
    value: str | None = None
    severity: Severity = "submission"
    is_shown: bool = False

    def __str__(self) -> str:
        place = [
            self.file,
            f"sheet '{self.sheet}'" if self.sheet else None,
            f"line {self.line}" if self.line else None,
            f"column '{self.column}'" if self.column else None,
        ]
        where = ", ".join(part for part in place if part)
        found = f" Found: {self.value!r}." if self.value is not None else ""
        message = with_given(self.message, lambda text: f"({len(text)} characters)")
        return f"{where}: {message}{found} [rule: {self.rule}]".removeprefix(": ")


class SubmissionError(Exception):
    """The delivery cannot be used at all: nothing of it is loaded."""

    def __init__(self, faults: Fault | Iterable[Fault]) -> None:
        self.faults = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__(" ".join(str(fault) for fault in self.faults))
