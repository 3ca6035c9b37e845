"""Seasonal adjustment of a series of monthly counts, and its outlook for twelve months.

Pure functions of one unbroken series, the earliest month first. dbt models call them as functions
of DuckDB (:mod:`orchestration.transform.seasonal_functions`). They work on the logarithm of the
counts, as seasons and trends of crime are about proportional to its volume. A count of 0 has the
logarithm of one half. The same counts always give the same figures.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

YEAR = 12
"""Months of a season, and of an outlook."""

BLOCK = 6
"""Months whose differences are averaged before they are tested, so that neighbours count once."""

_LEAST_COUNT = 0.5

_SEASONAL_BELOW = 0.05
"""Greatest p value at which a forecast has a season."""


class Adjustment(NamedTuple):
    """A series without its seasons; each list has one value a month.

    ``adjusted`` and ``trend`` are counts, ``factor`` is what a month is of a month without season
    (1 = as many). ``seasonality_p`` is the probability of calendar months that differ as much in a
    series without season.
    """

    adjusted: list[float]
    trend: list[float]
    factor: list[float]
    seasonality_p: float


class Outlook(NamedTuple):
    """The next twelve months as counts: median, interval, and the same of their sum."""

    forecast: list[float]
    lower: list[float]
    upper: list[float]
    total: float
    total_lower: float
    total_upper: float


class BackTest(NamedTuple):
    """How forecasts made in earlier months did against what came, over twelve months each.

    ``error`` and ``naive_error`` are mean absolute errors in offences a month, of the forecast and
    of the same month a year before. ``coverage`` is the share of months within their interval, and
    ``p`` the one-sided probability of so much less error where neither is better.
    """

    origins: int
    error: float
    naive_error: float
    coverage: float
    p: float


def adjust(counts: Sequence[float], window: int) -> Adjustment:
    """Adjust a series of at least two years for its season.

    STL (Cleveland, Cleveland, McRae and Terpenning, Journal of Official Statistics 6, 1990), robust
    against odd months. ``window`` is the odd number of years that a month's factor is averaged
    over. Whether there is a season is tested by Kruskal and Wallis on the months without trend.
    Raises :class:`ValueError` for a shorter series.
    """
    logs = _logs(counts)
    trend, season = _decompose(logs, window)
    return Adjustment(
        adjusted=(np.asarray(counts, dtype=float) / np.exp(season)).tolist(),
        trend=np.exp(trend).tolist(),
        factor=np.exp(season).tolist(),
        seasonality_p=_seasonality(logs - trend),
    )


def forecast(counts: Sequence[float], window: int, interval: float) -> Outlook:
    """Forecast the twelve months after a series of at least two years.

    The Theta method (Assimakopoulos and Nikolopoulos, International Journal of Forecasting 16,
    2000) in the form of Hyndman and Billah (the same journal 19, 2003): exponential smoothing with
    half the slope of the series. It is made on the logarithms, without the season where one is
    found, and has the factors of the last year. ``interval`` is the share that the limits should
    hold, such as 0.8. Raises :class:`ValueError` for a shorter series.
    """
    from scipy.special import ndtri

    logs = _logs(counts)
    trend, season = _decompose(logs, window)
    estimated = YEAR
    if _seasonality(logs - trend) > _SEASONAL_BELOW:
        season, estimated = np.zeros_like(season), 0
    level, slope, alpha, deviation = _smoothed(logs - season, estimated)
    middle = np.exp(level + slope * np.arange(YEAR) + season[-YEAR:])
    # What is unforeseen of a month moves that month in full and all later ones by alpha; each
    # month's factor is unsure on its own.
    moves = np.tril(np.full((YEAR, YEAR), alpha), -1) + np.eye(YEAR)
    unsure = estimated / len(logs)
    width = float(ndtri(0.5 + interval / 2)) * deviation
    widths = width * np.sqrt((moves**2).sum(axis=1) + unsure)
    total = float(middle.sum())
    varied = np.sum(np.square(middle @ moves)) + unsure * np.sum(np.square(middle))
    total_width = width * float(np.sqrt(varied)) / total
    return Outlook(
        forecast=middle.tolist(),
        lower=(middle * np.exp(-widths)).tolist(),
        upper=(middle * np.exp(widths)).tolist(),
        total=total,
        total_lower=total * float(np.exp(-total_width)),
        total_upper=total * float(np.exp(total_width)),
    )


def back_test(
    counts: Sequence[float], window: int, interval: float, training: int, step: int
) -> BackTest:
    """Forecast twelve months from earlier origins, and compare with what came.

    The origins lie ``step`` months apart, counted back from twelve months before the end, as long
    as ``training`` months lie before. Each forecast is made of the months before its origin alone.
    The differences in error to the forecast by the same month a year before are averaged by month
    and then by half-year, and tested by Student's t (Ibragimov and Müller, Journal of Business and
    Economic Statistics 28, 2010), as neighbouring months are not independent. Raises
    :class:`ValueError` where there are fewer than two origins.
    """
    from scipy.stats import ttest_1samp

    known = np.asarray(counts, dtype=float)
    origins = range(len(known) - YEAR, training - 1, -step)
    if len(origins) < 2:
        raise ValueError("A back-test needs at least two origins.")
    errors = np.full((len(origins), len(known)), np.nan)
    naive_errors, within = errors.copy(), errors.copy()
    for row, origin in enumerate(origins):
        months = slice(origin, origin + YEAR)
        came, made = known[months], forecast(counts[:origin], window, interval)
        errors[row, months] = np.abs(came - np.array(made.forecast))
        naive_errors[row, months] = np.abs(came - known[origin - YEAR : origin])
        within[row, months] = (came >= np.array(made.lower)) & (came <= np.array(made.upper))
    gains = np.nanmean((naive_errors - errors)[:, origins[-1] :], axis=0)
    blocks = gains[len(gains) % BLOCK :].reshape(-1, BLOCK).mean(axis=1)
    alike = bool(np.ptp(blocks) == 0)
    return BackTest(
        origins=len(origins),
        error=float(np.nanmean(errors)),
        naive_error=float(np.nanmean(naive_errors)),
        coverage=float(np.nanmean(within)),
        p=1.0 if alike else float(ttest_1samp(blocks, 0, alternative="greater").pvalue),
    )


def _logs(counts: Sequence[float]) -> Values:
    if len(counts) < 2 * YEAR:
        raise ValueError("A season is found in at least two years of months.")
    logs: Values = np.log(np.maximum(np.asarray(counts, dtype=float), _LEAST_COUNT))
    return logs


def _decompose(logs: Values, window: int) -> tuple[Values, Values]:
    """Return trend and season of the logarithms."""
    from statsmodels.tsa.seasonal import STL

    found = STL(logs, period=YEAR, seasonal=window, seasonal_deg=0, robust=True).fit()
    return np.asarray(found.trend), np.asarray(found.seasonal)


def _seasonality(apart: Values) -> float:
    """Return the p value of Kruskal and Wallis for calendar months that differ."""
    from scipy.stats import kruskal

    if np.ptp(apart) == 0:
        return 1.0
    return float(kruskal(*(apart[month::YEAR] for month in range(YEAR))).pvalue)


def _smoothed(adjusted: Values, estimated: int) -> tuple[float, float, float, float]:
    """Return the next month's level, the slope a month, alpha, and the deviation of a month.

    ``estimated`` is how many values were estimated from the same months before.
    """
    from scipy.optimize import minimize_scalar

    months = np.arange(len(adjusted))
    slope = float(np.polyfit(months, adjusted, 1)[0]) / 2
    level = adjusted - slope * months
    found = minimize_scalar(
        lambda alpha: float(np.sum(np.square(_one_step(level, alpha)[0]))),
        bounds=(0, 1),
        method="bounded",
        options={"xatol": 1e-3},
    )
    alpha = float(found.x)
    errors, last = _one_step(level, alpha)
    deviation = float(np.sqrt(np.sum(np.square(errors)) / (len(adjusted) - estimated - 1)))
    return last + slope * len(adjusted), slope, alpha, deviation


def _one_step(values: Values, alpha: float) -> tuple[Values, float]:
    """Return the errors of simple exponential smoothing, and the level after the last value.

    The first level is the mean of the first year.
    """
    from scipy.signal import lfilter

    first = float(values[:YEAR].mean())
    levels, _ = lfilter([alpha], [1, alpha - 1], values, zi=[(1 - alpha) * first])
    return values - np.concatenate(([first], levels[:-1])), float(levels[-1])
