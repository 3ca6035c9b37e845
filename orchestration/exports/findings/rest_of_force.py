"""A figure beside that of the rest of the force area: both values, and what may be said of them.

The rest is the force without the place itself, so that the two do not overlap. A difference is
claimed only where the 95 % limits exclude none, whatever was rounded away.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestration.disclosure.confidence_limits import (
    Limits,
    Rounded,
    Verdict,
    difference_of_rounded,
    ratio_of_rounded,
)
from orchestration.exports.findings.finding import (
    Finding,
    size_of_difference,
    size_of_ratio,
    strength_of,
)
from orchestration.exports.findings.finding_text import number, pair_texts
from orchestration.exports.report_definition.row_selection import Row

_SAME = ("period_type", "period_start", "period_end", "period_label", "comparison_basis")
"""What rows of two areas must agree in, where they have it, to be compared."""


@dataclass(frozen=True)
class Comparison:
    """The figure of a place and that of the rest of its force, per 1 or as a share of 1."""

    value: float
    rest: float
    limits: Limits | None
    no_change: float
    size: float

    @property
    def verdict(self) -> Verdict:
        """What the limits allow to say of the place."""
        return self.limits.verdict(self.no_change) if self.limits else "unclear"

    def phrase(self, what: str, force: str, scale: float, digits: int, unit: str = "") -> str:
        """Continue a sentence on the place's ``what`` (a rate, a share) with that of the rest."""
        own, rest = self.value * scale, self.rest * scale
        if self.verdict == "unclear":
            texts = [f"{figure:,.{digits}f}{unit}" for figure in (own, rest)]
            why = "; chance can explain the difference" if texts[0] != texts[1] else ""
            return f", against {texts[1]} in the rest of {force}{why}"
        _, other = pair_texts(own, rest, digits, unit)
        return f", a {self.verdict} {what} than in the rest of {force} ({other})"

    def finding(self, text: str) -> Finding:
        """Return the finding of a sentence that has the phrase in it."""
        return Finding(text, strength_of(self.verdict), self.size)


def of_force(row: Row, force: Sequence[Row]) -> Row | None:
    """Return the force's row of the same period, kind of period, source and population."""
    return next(
        (other for other in force if all(row.get(name) == other.get(name) for name in _SAME)),
        None,
    )


def rates(
    row: Row, force: Row | None, part: str, population: str, off: float = 0
) -> Comparison | None:
    """Compare a rate with that of the rest; none where a cell is hidden, missing or no part."""
    cells = _cells(row, force, part, population)
    if cells is None:
        return None
    count, base, others, rest = cells
    if others < 0 or base <= 0 or rest <= 0:
        return None
    limits = ratio_of_rounded(Rounded(count, off), Rounded(others, 2 * off), base, rest)
    size = size_of_ratio(limits) if limits else 0.0
    return Comparison(count / base, others / rest, limits, 1.0, size)


def shares(row: Row, force: Row | None, part: str, base: str, off: float = 0) -> Comparison | None:
    """Compare a share with that of the rest; none where a cell is hidden, missing or no part."""
    cells = _cells(row, force, part, base)
    return None if cells is None else share_comparison(*cells, off)


def share_comparison(
    count: float, base: float, others: float, rest: float, off: float = 0
) -> Comparison | None:
    """Compare ``count`` of ``base`` with ``others`` of ``rest``; none where they are no shares."""
    if base <= 0 or rest <= 0 or not 0 <= count <= base or not 0 <= others <= rest:
        return None
    limits = difference_of_rounded(
        Rounded(count, off), Rounded(base, off), Rounded(others, 2 * off), Rounded(rest, 2 * off)
    )
    share, other = count / base, others / rest
    return Comparison(share, other, limits, 0.0, size_of_difference(share, other, limits))


def _cells(
    row: Row, force: Row | None, part: str, base: str
) -> tuple[float, float, float, float] | None:
    """Return a part and its base, of the place and of the rest of the force."""
    if force is None or any(one.get(name) is None for one in (row, force) for name in (part, base)):
        return None
    count, whole = number(row, part), number(row, base)
    return count, whole, number(force, part) - count, number(force, base) - whole
