"""Rates, proportions and their limits, by scipy's distributions and the published formulas."""

from functools import cache
from math import sqrt
from typing import Any

from scipy import stats

_Z = float(stats.norm.ppf(0.975))


def proportion(part: int, whole: int) -> dict[str, float | None]:
    """Return a proportion with Wilson's limits."""
    if not whole:
        return {"proportion": None, "proportion_lower": None, "proportion_upper": None}
    lower, upper = wilson(part, whole)
    return {
        "proportion": part / whole,
        "proportion_lower": lower,
        "proportion_upper": upper,
    }


@cache
def wilson(part: int, whole: int) -> tuple[float, float]:
    """Return Wilson's score limits of a proportion."""
    found = stats.binomtest(part, whole).proportion_ci(0.95, method="wilson")
    return float(found.low), float(found.high)


def newcombe(part: int, whole: int, other: int, other_whole: int) -> tuple[float, float]:
    """Return Newcombe's hybrid limits of the difference of two proportions."""
    first, second = part / whole, other / other_whole
    low_1, high_1 = wilson(part, whole)
    low_2, high_2 = wilson(other, other_whole)
    difference = first - second
    return (
        difference - sqrt((first - low_1) ** 2 + (high_2 - second) ** 2),
        difference + sqrt((high_1 - first) ** 2 + (second - low_2) ** 2),
    )


def rate(count: float | None, population: int | None) -> dict[str, float | None]:
    """Return a rate per 1,000 with Byar's limits, exact below ten."""
    if count is None or not population:
        return {"rate_per_1000": None, "rate_lower": None, "rate_upper": None}
    lower, upper = poisson_limits(count)
    return {
        "rate_per_1000": 1000 * count / population,
        "rate_lower": 1000 * lower / population,
        "rate_upper": 1000 * upper / population,
    }


@cache
def poisson_limits(count: float) -> tuple[float, float]:
    """Return the limits of a Poisson count."""
    if count < 10:
        lower = float(stats.chi2.ppf(0.025, 2 * count) / 2) if count else 0.0
        return lower, float(stats.chi2.ppf(0.975, 2 * count + 2) / 2)
    lower = count * (1 - 1 / (9 * count) - _Z / (3 * sqrt(count))) ** 3
    more = count + 1
    return lower, more * (1 - 1 / (9 * more) + _Z / (3 * sqrt(more))) ** 3


def percentages(part: int, whole: int, name: str) -> dict[str, Any]:
    """Return a percentage with Wilson's limits, under ``name``."""
    found = proportion(part, whole)
    return {
        name + ending: None if value is None else 100 * value
        for ending, value in zip(("", "_lower", "_upper"), found.values(), strict=True)
    }
