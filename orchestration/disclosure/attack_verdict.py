"""The verdict: whether every hidden count keeps its protection level under the attack.

The protection levels are in ``table_model``. This module knows the true counts (which are
sensitive); the attack does not. Findings name keys and what is wrong; they carry no value.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestration.disclosure.attack import Interval, attack, attack_from_within
from orchestration.disclosure.table_model import MANY, Cell, Protection, Publication, publication

BELOW = "it can be shown to be below the threshold"
"""What is wrong with a count whose greatest possible value is below the threshold."""


@dataclass(frozen=True)
class Finding:
    """A count that can be worked out: its key and what is wrong, without its value."""

    key: str
    fault: str


@dataclass(frozen=True)
class Verdict:
    """What the attack on a release found.

    ``intervals`` are restricted: with them a reader is nearer to the truth than without. Those
    that are wide enough may be wider still; ``narrowest``, of a hidden count, is exact.
    """

    intervals: Mapping[str, Interval]
    findings: tuple[Finding, ...]
    narrowest: float | None

    @property
    def safe(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def examine(protection: Protection, published: Publication | None = None) -> Verdict:
    """Attack what would be published, as an outsider and as each singleton, and judge it.

    ``published`` is what was really written, if it is written already.
    """
    published = published or publication(protection)
    cells, hidden = protection.tables.cells, _marked(protection)

    def clear(key: str, interval: Interval) -> bool:
        """Whether an interval is without fault, and no narrower than a sensitive one may be."""
        fault = fault_of(cells[key], key in hidden, interval)
        return fault is None and (
            key not in hidden or interval.width >= _required_width(cells[key])
        )

    intervals = attack(published, enough=clear)
    narrowest = _narrowest(published, intervals, cells, hidden)
    findings = {key: "it is printed as it is" for key in _printed_openly(cells, published)}
    findings |= dict(_findings(cells, hidden, intervals))
    for other, fault in _findings_from_within(protection, published):
        findings.setdefault(other, f"{fault} by somebody who is counted elsewhere")
    return Verdict(
        intervals,
        tuple(Finding(key, fault) for key, fault in sorted(findings.items())),
        narrowest,
    )


def _narrowest(
    published: Publication, intervals: dict[str, Interval], cells: Mapping[str, Cell],
    hidden: frozenset[str],
) -> float | None:  # fmt: skip
    """Return the least width of a hidden count's interval, and make those exact that might be.

    Many searches end at the very width that is required. Most often the first that is made exact
    is as narrow, and answers for all of them; where it is not, ever more are asked at a time.
    """
    widths = {key: interval.width for key, interval in intervals.items() if key in hidden}
    # What is narrower than required was searched to its extremes already.
    exact = {key for key, width in widths.items() if width < _required_width(cells[key])}
    at_a_time = 1
    while widths:
        by_width = sorted(widths, key=lambda key: (widths[key], key not in exact, key))
        if by_width[0] in exact:
            return widths[by_width[0]]
        asked = [key for key in by_width if key not in exact][:at_a_time]
        for key, interval in attack(published, asked).items():
            intervals[key], widths[key] = interval, interval.width
        exact.update(asked)
        at_a_time *= 2
    return None


def _findings_from_within(protection: Protection, published: Publication) -> list[tuple[str, str]]:
    """Return what singletons learn beyond what follows from their own count alone."""
    cells, hidden = protection.tables.cells, _marked(protection)
    lone = {key: 1 for key in sorted(hidden) if cells[key].value == 1}
    sensitive = {key for key in published.asked if cells[key].sensitive}

    def enough(key: str, interval: Interval) -> bool:
        return fault_of(cells[key], key in hidden, interval) is None

    learnt = [
        (own, other, fault)
        for own, seen in attack_from_within(published, lone, sensitive, enough).items()
        for other, fault in _findings(cells, hidden, seen)
    ]
    if not learnt:
        return []
    # The only person of an area knows its every category. The same holds where they would learn
    # it even if nothing but the zeros were shown.
    bounds = {key: _if_nothing_were_shown(cell) for key, cell in cells.items()}
    nothing_shown = Publication(bounds, protection.tables.relations, (), ())
    bare = attack_from_within(
        nothing_shown,
        {own: 1 for own, _, _ in learnt},
        {other for _, other, _ in learnt},
        enough,
        {(own, other) for own, other, _ in learnt},
    )
    return [
        (other, fault)
        for own, other, fault in learnt
        if own not in bare or enough(other, bare[own][other])
    ]


def _marked(protection: Protection) -> frozenset[str]:
    """Return what is hidden now, and what only an earlier release has, and hid."""
    cells = protection.tables.cells
    return protection.hidden | {
        key
        for key, cell in cells.items()
        if cell.marked_before and not cell.printed and not cell.fixed
    }


def _printed_openly(cells: Mapping[str, Cell], published: Publication) -> Iterator[str]:
    for key, cell in cells.items():
        least, greatest = published.bounds[key]
        if cell.sensitive and least == greatest:
            yield key


def _if_nothing_were_shown(cell: Cell) -> tuple[int, int]:
    if not (cell.shows_marker or cell.fixed):
        return 0, MANY
    if cell.value == 0 and not cell.rule.hide_zeros:
        return 0, 0
    return cell.least_if_marked, MANY


def _findings(
    cells: Mapping[str, Cell], hidden: frozenset[str], intervals: Mapping[str, Interval]
) -> Iterator[tuple[str, str]]:
    for key, interval in intervals.items():
        if fault := fault_of(cells[key], key in hidden, interval):
            yield key, fault


def fault_of(cell: Cell, marked: bool, interval: Interval) -> str | None:
    """Return what is wrong with a count's interval under its rule; none where nothing is."""
    if cell.readable:
        return None
    if not cell.sensitive:
        # What only an earlier release hid for others' sake needs nothing itself.
        idle = marked and cell.printed and interval.width == 0
        return "it can be worked out exactly" if idle else None
    if not marked and interval.least == 0:
        return None
    if interval.width == 0:
        return "it can be worked out exactly"
    if interval.greatest is not None and interval.greatest < cell.rule.threshold:
        return BELOW
    if interval.width < _required_width(cell):
        return "it can be worked out more closely than the rule allows"
    return None


def _required_width(cell: Cell) -> int:
    """Return the least width that the interval of a hidden sensitive count may have."""
    return cell.rule.threshold - 1
