"""A finding: a sentence on the figures of one table, and what the figures carry of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Literal

from orchestration.disclosure.confidence_limits import Limits, Verdict

Strength = Literal["claim", "comparison", "figure", "usual"]
"""What a finding states.

``claim``: a difference or change that chance does not explain. ``comparison``: one that chance can
explain. ``figure``: a figure without a comparison. ``usual``: that nothing unusual was found.
"""

STRENGTHS: tuple[Strength, ...] = ("claim", "comparison", "figure", "usual")
"""Every strength, the firmest first."""


@dataclass(frozen=True)
class Finding:
    """A sentence or two that belong together, and their strength.

    ``size`` is that of a claim: the logarithm of the ratio that its 95 % limits leave nearest to no
    change, so that a doubling and a halving have one size. Of anything else it is 0.
    """

    text: str
    strength: Strength = "figure"
    size: float = 0.0


def joined(parts: Sequence[Finding]) -> list[Finding]:
    """Return what belongs together as one finding, as strong as its strongest part."""
    if not parts:
        return []
    return [
        Finding(
            " ".join(part.text for part in parts),
            min((part.strength for part in parts), key=STRENGTHS.index),
            max(part.size for part in parts),
        )
    ]


def strength_of(verdict: Verdict) -> Strength:
    """Return the strength of a comparison by its verdict."""
    return "comparison" if verdict == "unclear" else "claim"


def size_of_ratio(limits: Limits) -> float:
    """Return the size of a claim on a ratio; 0 where its limits include no change."""
    if limits.lower > 1:
        return log(limits.lower)
    return -log(limits.upper) if 0 < limits.upper < 1 else 0.0


def size_of_difference(share: float, other: float, limits: Limits) -> float:
    """Return the size of a claim that ``share`` differs from ``other``, both from 0 to 1.

    ``limits`` are those of the difference. The limit nearest to none is taken from the greater
    share, so that the size is that of a ratio. 0 where the limits include no difference.
    """
    if limits.lower > 0 and share > limits.lower:
        return log(share / (share - limits.lower))
    if limits.upper < 0 and other > -limits.upper:
        return log(other / (other + limits.upper))
    return 0.0
