"""When deliveries are due, by hand calculation from the contracts' words."""

from datetime import date
from functools import cache
from typing import Literal

import pytest

from orchestration.dagster.assets.landing import deadline_cron, freshness
from orchestration.errors import EmptyQuarterError
from orchestration.ingest.checking.contract import Contract, load_contracts
from orchestration.ingest.landing.arrival_calendar import (
    State,
    due_date,
    expect,
    next_due,
    refuse_empty,
)
from tests.support import Ground

Q1 = date(2018, 4, 1)
Q2 = date(2018, 7, 1)
Cadence = Literal["quarterly", "annual", "one-off"]


@cache
def _street() -> Contract:
    return load_contracts()["police_uk_street"]


def _contract(cadence: Cadence, days: int = 30) -> Contract:
    return _street().model_copy(update={"cadence": cadence, "arrival_days": days})


def test_due_days_after_the_quarters_end() -> None:
    assert due_date(_contract("quarterly", 0), Q1) == date(2018, 6, 30)
    assert due_date(_contract("quarterly", 62), Q1) == date(2018, 8, 31)
    assert due_date(_contract("quarterly", 31), date(2019, 1, 1)) == date(2019, 5, 1)


@pytest.mark.parametrize(
    ("cadence", "landed", "today", "state"),
    [
        ("quarterly", [], date(2018, 7, 30), "awaited"),
        ("quarterly", [], date(2018, 7, 31), "late"),
        ("quarterly", [Q1], date(2018, 9, 1), "landed"),
        ("annual", [], date(2018, 7, 31), "late"),
        ("annual", [date(2017, 7, 1)], date(2018, 7, 31), "not expected"),
        ("annual", [date(2017, 4, 1)], date(2018, 7, 31), "late"),
        ("annual", [date(2016, 4, 1)], date(2018, 7, 30), "awaited"),
        # The supplier began later than the quarter that is asked about.
        ("annual", [date(2018, 7, 1)], date(2018, 7, 31), "not expected"),
        ("quarterly", [date(2018, 7, 1)], date(2018, 7, 31), "not expected"),
        ("quarterly", [date(2018, 1, 1)], date(2018, 7, 31), "late"),
        ("one-off", [], date(2018, 7, 31), "not expected"),
        ("one-off", [Q1], date(2018, 7, 31), "landed"),
    ],
)
def test_state(cadence: Cadence, landed: list[date], today: date, state: State) -> None:
    assert expect(_contract(cadence), Q1, landed).state(today) == state


@pytest.mark.parametrize(
    ("cadence", "landed", "due"),
    [
        ("quarterly", [], date(2018, 7, 30)),
        ("quarterly", [Q1], date(2018, 10, 30)),
        ("annual", [Q1], date(2019, 7, 30)),
        ("one-off", [], None),
    ],
)
def test_next_due(cadence: Cadence, landed: list[date], due: date | None) -> None:
    assert next_due(_contract(cadence), landed, date(2018, 7, 5)) == due


def test_deadline_is_never_before_the_last_day_on_time() -> None:
    for days in range(93):
        _, _, day, months, _ = deadline_cron(days).split()
        ticks = [
            date(year, int(month), int(day))
            for year in (2019, 2020, 2021)
            for month in months.split(",")
        ]
        for quarter in (date(year, month, 1) for year in (2019, 2020) for month in (1, 4, 7, 10)):
            due = due_date(_contract("quarterly", days), quarter)
            following = min(tick for tick in ticks if tick > due)
            assert 1 <= (following - due).days <= 6, (days, quarter)


def test_freshness_follows_the_cadence() -> None:
    assert freshness("one-off", 30) is None
    assert "Cron" in type(freshness("quarterly", 62)).__name__
    assert "TimeWindow" in type(freshness("annual", 92)).__name__


# --- a quarter without deliveries ------------------------------------------------------------


def test_a_quarter_for_which_nothing_has_landed_is_refused(ground: Ground) -> None:
    raw, contracts = ground.settings.raw, load_contracts()
    ground.put("police_uk_street", "2018-04-01", {"a.csv": "x"})
    refuse_empty(raw, contracts, [Q1])
    with pytest.raises(
        EmptyQuarterError,
        match=r"Q2 2018/19 \(2018-07-01\).*Q1 2018/19 \(2018-04-01\)",
    ):
        refuse_empty(raw, contracts, [Q1, Q2])
    # What was loaded counts though its files are gone.
    refuse_empty(raw, contracts, [Q1, Q2], [Q2])


def test_reference_data_alone_make_no_quarter(ground: Ground) -> None:
    raw, contracts = ground.settings.raw, load_contracts()
    ground.put("area_lookups", "2018-07-01", {"a.csv": "x"})
    (raw / "police_uk_street" / "2018-07-01").mkdir(parents=True)
    with pytest.raises(EmptyQuarterError, match=r"Q2 2018/19 \(2018-07-01\).*\(area_lookups\)"):
        refuse_empty(raw, contracts, [Q2])
    ground.put("dwelling_stock", "2018-07-01", {"a.ods": "x"})
    refuse_empty(raw, contracts, [Q2])
