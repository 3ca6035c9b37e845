"""Limits of proportions and of their differences, from rounded counts.

The same methods as the macros of the dbt project: Wilson's score limits, and Newcombe's hybrid
score interval for a difference (Newcombe 1998, Statistics in Medicine 17: 857-890).
"""

from math import floor, sqrt

from orchestration.disclosure.rounding_declarations import LEAST_BASE

Z = 1.959963984540054
"""Standard normal quantile of 95 % limits; the project's variable ``confidence_z``."""


def proportion(part: int | None, whole: int | None) -> float | None:
    """Return the proportion, none of nobody or of what is not known."""
    return None if part is None or not whole else part / whole


def limits(part: int | None, whole: int | None) -> tuple[float, float] | None:
    """Return Wilson's 95 % limits; none below the least base."""
    share = proportion(part, whole)
    if share is None or whole is None or part is None or whole < LEAST_BASE:
        return None
    middle = 2.0 * part + Z**2
    reach = Z * sqrt(Z**2 + 4.0 * part * (1 - min(share, 1.0)))
    return (middle - reach) / (2 * (whole + Z**2)), (middle + reach) / (2 * (whole + Z**2))


def difference_limits(
    part: int, whole: int, other_part: int, other_whole: int
) -> tuple[float, float] | None:
    """Return the 95 % limits of the first proportion less the second."""
    first, second = limits(part, whole), limits(other_part, other_whole)
    if first is None or second is None:
        return None
    here, there = part / whole, other_part / other_whole
    low = sqrt((here - first[0]) ** 2 + (second[1] - there) ** 2)
    high = sqrt((first[1] - here) ** 2 + (there - second[0]) ** 2)
    return here - there - low, here - there + high


def printed(value: float | None, scale: int, decimals: int | None) -> float | None:
    """Return a proportion as it is printed, halves up; with all its digits without ``decimals``."""
    if value is None:
        return None
    if decimals is None:
        return scale * value
    factor: float = 10.0**decimals
    return floor(scale * value * factor + 0.5 + 1e-9) / factor
