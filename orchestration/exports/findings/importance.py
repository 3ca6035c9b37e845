"""Which findings come first, and how many are shown: the published rule (docs/method.md).

A finding is more important than another one if it is firmer: a claim that chance does not explain,
before a comparison that chance can explain, before a figure alone, before a series without anything
unusual. Of two claims the greater comes first (see ``Finding.size``), then the one whose table
comes earlier in the report, then the one that its table's rule gives first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestration.exports.findings.finding import STRENGTHS, Finding

MOST = 15
"""How many findings are shown at most."""


@dataclass(frozen=True)
class Placed:
    """A finding, and the place of its section and of its table in the report."""

    finding: Finding
    section: int
    table: int


@dataclass(frozen=True)
class Selection:
    """The findings that are shown, in groups by section, and those that are left out.

    Groups come in the order of their most important finding, and so do the findings of a group.
    """

    groups: tuple[tuple[Placed, ...], ...]
    left_out: tuple[Placed, ...]


def importance(placed: Placed) -> tuple[int, float, int]:
    """Return what findings are sorted by, the most important first."""
    finding = placed.finding
    return STRENGTHS.index(finding.strength), -finding.size, placed.table


def selected(placed: Sequence[Placed], most: int = MOST) -> Selection:
    """Return the ``most`` most important findings by section, and all others."""
    ordered = sorted(placed, key=importance)
    groups: dict[int, list[Placed]] = {}
    for one in ordered[:most]:
        groups.setdefault(one.section, []).append(one)
    return Selection(tuple(tuple(group) for group in groups.values()), tuple(ordered[most:]))
