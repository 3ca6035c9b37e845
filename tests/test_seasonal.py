"""Seasonal adjustment and outlook: against known series, statsmodels, SciPy and drawn series."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.tsa.holtwinters import SimpleExpSmoothing
from statsmodels.tsa.seasonal import STL

from orchestration.transform import dbt_runner, seasonal_adjustment
from orchestration.transform.seasonal_adjustment import adjust, back_test, forecast
from orchestration.transform.seasonal_functions import register
from tests.support import Ground
from tests.test_statistics import variables

Key = tuple[str, str]
"""Area and crime type."""

FACTORS = np.array([0.8, 0.9, 1, 1.1, 1.2, 1.1, 1, 0.9, 0.8, 1, 1.1, 1.1])
WINDOW, INTERVAL, TRAINING, STEP = 13, 0.8, 36, 6


def given() -> tuple[int, float, int, int]:
    found = variables()
    return (
        found["seasonal_window_years"],
        found["outlook_interval"],
        found["seasonal_min_months"],
        found["outlook_origin_step"],
    )


def test_these_tests_use_the_parameters_of_the_project() -> None:
    assert given() == (WINDOW, INTERVAL, TRAINING, STEP)


def test_a_known_trend_and_season_are_recovered() -> None:
    months = np.arange(72)
    factors = FACTORS / stats.gmean(FACTORS)
    trend = 200 * np.exp(0.05 * months / 12)
    found = adjust((trend * factors[months % 12]).tolist(), WINDOW)
    assert found.factor == pytest.approx(factors[months % 12], rel=0.01)
    assert found.trend == pytest.approx(trend, rel=0.01)
    assert found.adjusted == pytest.approx(trend, rel=0.01)
    assert found.seasonality_p < 1e-6


def test_an_outlook_continues_a_known_trend_and_season() -> None:
    months = np.arange(84)
    series = 200 * np.exp(0.05 * months / 12) * FACTORS[months % 12]
    found = forecast(series[:72].tolist(), WINDOW, INTERVAL)
    assert found.forecast == pytest.approx(series[72:], rel=0.03)
    assert found.total == pytest.approx(sum(found.forecast))


def test_an_outlook_is_exponential_smoothing_with_half_the_slope() -> None:
    """Against the smoothing of statsmodels, in a series without a season."""
    random = np.random.default_rng(2)
    counts = random.poisson(np.linspace(40, 80, 66)).astype(float)
    logs, months = np.log(counts), np.arange(66)
    assert adjust(counts.tolist(), WINDOW).seasonality_p > 0.05
    slope = stats.linregress(months, logs).slope / 2
    level = logs - slope * months
    smoothed = SimpleExpSmoothing(
        level, initialization_method="known", initial_level=level[:12].mean()
    ).fit()
    ahead = np.exp(smoothed.forecast(12) + slope * np.arange(66, 78))
    found = forecast(counts.tolist(), WINDOW, INTERVAL)
    assert found.forecast == pytest.approx(ahead, rel=1e-3)
    deviation = np.sqrt(np.sum(smoothed.resid**2) / 65)
    assert found.upper[0] == pytest.approx(ahead[0] * np.exp(1.2816 * deviation), rel=1e-3)
    alpha = smoothed.params["smoothing_level"]
    width = 1.2816 * deviation * np.sqrt(1 + 11 * alpha**2)
    assert found.lower[11] == pytest.approx(ahead[11] * np.exp(-width), rel=1e-3)


def test_the_limits_of_the_sum_hold_as_often_as_they_say() -> None:
    """By drawing what the model supposes: shocks that count in full once, then by alpha."""
    random = np.random.default_rng(3)
    counts = 100 * np.exp(0.1 * random.standard_normal(60)).cumprod() ** 0.3
    logs = np.log(counts)
    _, _, alpha, deviation = seasonal_adjustment._smoothed(logs, 0)
    found = forecast(counts.tolist(), WINDOW, INTERVAL)
    shocks = deviation * random.standard_normal((20_000, 12))
    before = np.cumsum(shocks, axis=1) - shocks
    totals = (np.array(found.forecast) * np.exp(shocks + alpha * before)).sum(axis=1)
    within = np.mean((totals >= found.total_lower) & (totals <= found.total_upper))
    assert within == pytest.approx(INTERVAL, abs=0.03)


def test_a_forecast_of_the_back_test_knows_nothing_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Months after an origin are replaced, and its forecast stays what it was."""
    counts = _drawn(np.random.default_rng(4), "season", 72)
    made: dict[int, list[float]] = {}
    whole = forecast

    def kept(before: Sequence[float], window: int, interval: float) -> object:
        found = whole(before, window, interval)
        made[len(before)] = found.forecast
        return found

    monkeypatch.setattr(seasonal_adjustment, "forecast", kept)
    tested = back_test(counts, WINDOW, INTERVAL, TRAINING, STEP)
    earlier = dict(made)
    assert sorted(earlier) == [36, 42, 48, 54, 60] and tested.origins == 5
    back_test([*counts[:48], *[9999.0] * 24], WINDOW, INTERVAL, TRAINING, STEP)
    assert {origin for origin in made if made[origin] == earlier[origin]} == {36, 42, 48}
    errors = [np.abs(np.subtract(counts[o : o + 12], earlier[o])).mean() for o in earlier]
    assert tested.error == pytest.approx(np.mean(errors))
    naive = [np.abs(np.subtract(counts[o : o + 12], counts[o - 12 : o])).mean() for o in earlier]
    assert tested.naive_error == pytest.approx(np.mean(naive))


def _drawn(random: np.random.Generator, kind: str, months: int) -> list[float]:
    """Draw counts: with trend and season, or each month as a year before and a shock."""
    place = np.arange(months)
    if kind == "season":
        means = 150 * np.exp(0.15 * place / 12) * FACTORS[place % 12]
        return random.poisson(means).astype(float).tolist()
    shocks = random.normal(0, 0.1, (months // 12 + 1, 12))
    return np.round(100 * np.exp(shocks.cumsum(axis=0)).ravel()[:months]).tolist()


def _passes(counts: list[float]) -> bool:
    tested, limits = back_test(counts, WINDOW, INTERVAL, TRAINING, STEP), variables()
    return (
        tested.error <= limits["outlook_max_error_ratio"] * tested.naive_error
        and tested.coverage >= limits["outlook_min_coverage"]
        and tested.p <= limits["false_signal_share"]
    )


def test_series_pass_only_with_an_advantage_over_the_same_month_a_year_before() -> None:
    """Larger draws are measured in docs/method.md."""
    random = np.random.default_rng(5)
    assert sum(_passes(_drawn(random, "year before", 60)) for _ in range(12)) == 0
    assert sum(_passes(_drawn(random, "season", 72)) for _ in range(6)) >= 5


@pytest.mark.parametrize("counts", [[0.0] * 60, [30.0] * 60, [0.0, 50.0] * 30])
def test_odd_series_have_figures_too(counts: list[float]) -> None:
    tested = back_test(counts, WINDOW, INTERVAL, TRAINING, STEP)
    assert tested.p <= 1 and tested.origins == 3
    assert np.isfinite(
        [*adjust(counts, WINDOW).adjusted, *forecast(counts, WINDOW, 0.8).upper]
    ).all()


def test_a_series_that_is_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="two years"):
        adjust([10.0] * 23, WINDOW)
    with pytest.raises(ValueError, match="two origins"):
        back_test([10.0] * 53, WINDOW, INTERVAL, TRAINING, STEP)


def test_the_functions_of_the_models_give_null_for_null() -> None:
    counts = _drawn(np.random.default_rng(6), "season", 60)
    with duckdb.connect() as connection:
        register(connection)
        ((none, some),) = connection.execute(
            "select seasonal_adjustment(null, 13), seasonal_adjustment($1, 13)", [counts]
        ).fetchall()
    assert none is None
    assert some == adjust(counts, WINDOW)._asdict()


def test_another_function_or_library_makes_another_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that models are built again, and figures that change have a cause."""
    digest, settings = dbt_runner.inputs_sha256(), dbt_runner.method_settings()
    monkeypatch.setattr(dbt_runner, "_FUNCTIONS", tmp_path / "functions.py")
    (tmp_path / "functions.py").write_text("other")
    assert dbt_runner.inputs_sha256() != digest and dbt_runner.method_settings() != settings
    digest = dbt_runner.inputs_sha256()
    monkeypatch.setattr(dbt_runner, "version", lambda name: "9.9")
    assert dbt_runner.inputs_sha256() != digest


@pytest.fixture(scope="module")
def months(sample: Ground) -> pd.DataFrame:
    with duckdb.connect(sample.settings.published / "csp.duckdb", read_only=True) as connection:
        return connection.execute(
            "select area_code, crime_type, period_start as month, offences, status "
            "from marts.crime_trends where period_type = 'month' order by all"
        ).df()


def published(sample: Ground, query: str) -> pd.DataFrame:
    with duckdb.connect(sample.settings.published / "csp.duckdb", read_only=True) as connection:
        return connection.execute(query).df()


def test_seasonally_adjusted_shoplifting_is_that_of_stl(
    sample: Ground, months: pd.DataFrame
) -> None:
    found = published(
        sample,
        "from marts.crime_seasonal where crime_type = 'Shoplifting' and area_type = 'force' "
        "order by month",
    )
    own = months[
        (months["area_code"] == found["area_code"].iloc[0])
        & (months["crime_type"] == "Shoplifting")
    ]
    stl = STL(np.log(own["offences"].to_numpy(float)), period=12, seasonal=WINDOW,
              seasonal_deg=0, robust=True).fit()  # fmt: skip
    assert found["month"].tolist() == own["month"].tolist() and len(found) > 60
    assert found["offences"].tolist() == own["offences"].tolist()
    assert found["trend"].tolist() == pytest.approx(np.exp(stl.trend))
    assert found["seasonal_factor"].tolist() == pytest.approx(np.exp(stl.seasonal))
    assert found["seasonally_adjusted"].tolist() == pytest.approx(
        own["offences"] / np.exp(stl.seasonal)
    )
    assert found["status"].isna().all()


def test_every_series_of_the_sample_has_a_figure_or_a_reason(
    sample: Ground, months: pd.DataFrame
) -> None:
    """Long and large series, the seasonal ones among them and those that pass, with SciPy."""
    last = months["month"].max()
    series: dict[Key, list[float]] = {}
    for (area, crime_type), one in months.groupby(["area_code", "crime_type"]):
        breaks = one.loc[one["status"] == "[b]", "month"]
        if one["month"].max() == last:
            since = one[one["month"] >= breaks.max()] if len(breaks) else one
            series[str(area), str(crime_type)] = since["offences"].astype(float).tolist()
    large = {key: counts for key, counts in series.items() if np.mean(counts) >= 10}
    adjusted = published(sample, "from marts.crime_seasonal")
    verdicts = published(sample, "from marts.crime_outlook_verdicts")
    with_trend = adjusted[adjusted["trend"].notna()].groupby(["area_code", "crime_type"]).size()
    assert with_trend.to_dict() == {key: len(counts) for key, counts in large.items()}
    left_out = adjusted[adjusted["trend"].isna()].set_index(["area_code", "crime_type"])
    assert set(left_out.index) == series.keys() - large.keys()
    assert set(left_out["status"]) == {"[x]"} and set(left_out["month"]) == {last}
    assert set(left_out["not_adjusted_because"]) == {"fewer than 10 offences in an average month"}
    assert len(verdicts) == len(series)
    origins = verdicts.set_index(["area_code", "crime_type"])["origins"].dropna()
    # From 36 months on, every six months, with twelve months to come.
    assert origins.to_dict() == {
        key: (len(counts) - 36 - 12) // 6 + 1 for key, counts in large.items()
    }

    p = {key: adjust(counts, WINDOW).seasonality_p for key, counts in large.items()}
    seasonal = {key for key, q in _adjusted(p).items() if q <= 0.05}
    shown = adjusted[adjusted["seasonally_adjusted"].notna()]
    assert set(zip(shown["area_code"], shown["crime_type"], strict=True)) == seasonal

    rows = {
        (row["area_code"], row["crime_type"]): row
        for row in verdicts.to_dict("records")
        if row["area_type"] == "force" and not pd.isna(row["origins"])
    }
    tests = {key: back_test(large[key], WINDOW, INTERVAL, TRAINING, STEP) for key in rows}
    for key, q in _adjusted({key: test.p for key, test in tests.items()}).items():
        row, test = rows[key], tests[key]
        assert row["adjusted_p"] == pytest.approx(q)
        assert row["coverage"] == pytest.approx(test.coverage)
        passed = test.error <= 0.9 * test.naive_error and q <= 0.05 and test.coverage >= 0.7
        assert bool(row["has_outlook"]) == passed == (row["status"] == "[f]")
        if passed:
            assert row["forecast_offences"] == pytest.approx(
                forecast(large[key], WINDOW, INTERVAL).total
            )


def _adjusted(p: dict[Key, float]) -> dict[Key, float]:
    """Adjust the p values of an area's types together."""
    found: dict[Key, float] = {}
    for area in {area for area, _ in p}:
        own = [key for key in p if key[0] == area]
        adjusted = stats.false_discovery_control([p[key] for key in own], method="bh")
        found.update(dict(zip(own, adjusted, strict=True)))
    return found


def test_an_outlook_follows_the_last_month_of_series_that_pass(sample: Ground) -> None:
    months = published(sample, "from marts.crime_outlook order by area_code, crime_type, month")
    passed = published(sample, "from marts.crime_outlook_verdicts where has_outlook")
    assert len(months) == 12 * len(passed) > 0
    assert set(months["status"]) == {"[f]"}
    total = months.groupby(["area_code", "crime_type"])["forecast_offences"].sum()
    keyed = passed.set_index(["area_code", "crime_type"])["forecast_offences"].sort_index()
    assert total.tolist() == pytest.approx(keyed.tolist())
    ahead = months["month"].dt.to_period("M") - months["last_month"].dt.to_period("M")
    assert [one.n for one in ahead] == list(range(1, 13)) * len(passed)
