"""Confidence limits, and whether two figures differ by more than chance: pure functions.

A difference of proportions has Newcombe's limits (the hybrid of two Wilson intervals, method 10 of
Newcombe, Statistics in Medicine 17, 1998); a ratio of two counts or rates has the limits of the
conditional method (given their sum, one Poisson count is binomial), with Wilson's interval for
the binomial share. A count has Byar's limits, and exact Poisson limits below ten (the macros
``rate_lower`` and ``rate_upper`` give the same). All limits are of 95 %. A change is stated only
where the limits exclude no change.

Of counts that are **rounded**, limits are the widest of those of all counts that may be behind
them, so that what is stated holds whatever was rounded away.
"""

from dataclasses import dataclass
from math import inf, sqrt
from typing import Literal

Z = 1.959963984540054
"""The 97.5th percentile of the normal distribution: two-sided limits of 95 %."""

_BYAR_FROM = 10

Verdict = Literal["higher", "lower", "unclear"]


@dataclass(frozen=True)
class Limits:
    """The lower and the upper 95 % limit of a figure."""

    lower: float
    upper: float

    def verdict(self, no_change: float = 0.0) -> Verdict:
        """Say whether both limits lie on one side of ``no_change``; on it is not beside it."""
        if self.lower > no_change:
            return "higher"
        return "lower" if self.upper < no_change else "unclear"


@dataclass(frozen=True)
class Rounded:
    """A count as it is shown, and by how much the true one may be more or less."""

    shown: float
    off: float = 0

    @property
    def least(self) -> float:
        """The least count that it may stand for."""
        return max(0, self.shown - self.off)

    @property
    def most(self) -> float:
        """The greatest count that it may stand for."""
        return self.shown + self.off


def poisson(count: float) -> Limits:
    """Return the limits of a Poisson count: exact ones below ten, Byar's from ten on."""
    if count < _BYAR_FROM:
        from scipy.special import gammaincinv

        lower = float(gammaincinv(count, 0.025)) if count else 0.0
        return Limits(lower, float(gammaincinv(count + 1, 0.975)))
    return Limits(
        count * (1 - 1 / (9 * count) - Z / (3 * sqrt(count))) ** 3,
        (count + 1) * (1 - 1 / (9 * (count + 1)) + Z / (3 * sqrt(count + 1))) ** 3,
    )


def poisson_of_rounded(count: Rounded) -> Limits:
    """Return the limits of a Poisson count, whatever the true one behind it."""
    return Limits(poisson(count.least).lower, poisson(count.most).upper)


def wilson(count: float, base: float) -> Limits:
    """Return Wilson's limits of the proportion ``count`` of ``base``, which is above zero."""
    share = count / base
    centre = (share + Z * Z / (2 * base)) / (1 + Z * Z / base)
    half = (Z / (1 + Z * Z / base)) * sqrt(share * (1 - share) / base + Z * Z / (4 * base * base))
    # At the ends the limit is the end itself; rounding may leave a hair beside it.
    lower = 0.0 if count == 0 else max(0.0, centre - half)
    upper = 1.0 if count == base else min(1.0, centre + half)
    return Limits(lower, upper)


def difference(count: float, base: float, other_count: float, other_base: float) -> Limits:
    """Return Newcombe's limits of the first proportion less the other; bases above zero."""
    one, other = wilson(count, base), wilson(other_count, other_base)
    share, other_share = count / base, other_count / other_base
    gap = share - other_share
    return Limits(
        gap - sqrt((share - one.lower) ** 2 + (other.upper - other_share) ** 2),
        gap + sqrt((one.upper - share) ** 2 + (other_share - other.lower) ** 2),
    )


def proportion_of_rounded(part: Rounded, base: Rounded) -> Limits:
    """Return Wilson's limits of the proportion whatever the two counts, the base shown above zero.

    A part is never more than its base.
    """
    lower = wilson(min(part.least, base.most), base.most).lower
    if base.least <= 0:
        return Limits(lower, 1.0)
    return Limits(lower, wilson(min(part.most, base.least), base.least).upper)


def difference_of_rounded(
    part: Rounded, base: Rounded, other_part: Rounded, other_base: Rounded
) -> Limits:
    """Return Newcombe's limits of the first proportion less the other, whatever the counts."""
    low, high = _furthest(part, base)
    other_low, other_high = _furthest(other_part, other_base)
    return Limits(
        difference(*low, *other_high).lower,
        difference(*high, *other_low).upper,
    )


def _furthest(part: Rounded, base: Rounded) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the counts of the lowest and of the highest proportion that may be behind two."""
    least_base = max(1, base.least)
    return (min(part.least, base.most), base.most), (min(part.most, least_base), least_base)


def ratio_of_rounded(
    count: Rounded, other: Rounded, exposure: float = 1.0, other_exposure: float = 1.0
) -> Limits | None:
    """Return limits of the ratio of two rates, whatever the counts; none if both must be zero."""
    lower = ratio(count.least, other.most, exposure, other_exposure)
    upper = ratio(count.most, other.least, exposure, other_exposure)
    return Limits(lower.lower, upper.upper) if lower and upper else None


def ratio(
    count: float, other_count: float, exposure: float = 1.0, other_exposure: float = 1.0
) -> Limits | None:
    """Return limits of the ratio of two Poisson rates, the first over the other.

    A rate is ``count`` by ``exposure`` (such as a population, above zero). None if both
    counts are zero, because they have no ratio.
    """
    total = count + other_count
    if total == 0:
        return None
    share = wilson(count, total)
    scale = other_exposure / exposure
    return Limits(_odds(share.lower) * scale, _odds(share.upper) * scale)


def counts_behind(percent: int, base: int) -> range:
    """Return the counts of ``base`` that print as the whole ``percent``, halves rounded up."""
    # percent - 0.5 <= 100 count / base < percent + 0.5, in whole numbers.
    first = max(0, -((1 - 2 * percent) * base // 200))
    last = min(base, ((2 * percent + 1) * base - 1) // 200)
    return range(first, last + 1) if base else range(0)


def rounded_difference(
    percent: int, base: int, other_percent: int, other_base: int
) -> Limits | None:
    """Return the widest limits of the difference of two whole percentages.

    They are those of the counts that may be behind the percentages, so that what they exclude is
    excluded whatever was rounded away. None where no counts print as the percentages.
    """
    counts, others = counts_behind(percent, base), counts_behind(other_percent, other_base)
    if not counts or not others:
        return None
    found = [
        difference(count, base, other, other_base)
        for count in (counts[0], counts[-1])
        for other in (others[0], others[-1])
    ]
    return Limits(min(one.lower for one in found), max(one.upper for one in found))


def rounded_verdict(percent: int, base: int, other_percent: int, other_base: int) -> Verdict:
    """Compare two whole percentages by the counts that may be behind them.

    ``unclear`` unless the counts that lie nearest to each other, and those that lie furthest
    apart, all say the same: a claim must hold whatever was rounded away.
    """
    limits = rounded_difference(percent, base, other_percent, other_base)
    return limits.verdict() if limits else "unclear"


def _odds(share: float) -> float:
    return inf if share >= 1 else share / (1 - share)
