"""Two years unattended: eight schedule ticks, late, corrected and missing deliveries.

The schedule and the sensors are ticked by a clock of the test's own, and every run that they ask
for is executed. Street-level crime alone is delivered, in small files; what each release must hold
is counted here from what was delivered, as at its quarter.
"""

import shutil
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import duckdb
import pytest

from orchestration.config.quarters import next_quarter
from orchestration.config.settings import PROJECT, Settings
from orchestration.dagster.sensors import late_now
from tests.support import month_file
from tests.unattended import Unattended

LONDON = ZoneInfo("Europe/London")
FIRST = date(2018, 4, 1)
QUARTERS = [FIRST]
while len(QUARTERS) < 8:
    QUARTERS.append(next_quarter(QUARTERS[-1]))
CRIME = {"dim_area", "dim_month", "crime_monthly", "shoplifting_trends", "burglary_trends",
         "figure_10_shoplifting", "figure_11_burglary"}  # fmt: skip
LATE, MISSING, CORRECTED = QUARTERS[2], QUARTERS[4], QUARTERS[5]

pytestmark = [pytest.mark.slow, pytest.mark.campaign]


class Partnership(Unattended):
    """A warehouse that nobody watches, and what was delivered to it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, CRIME, ["exports", "partnerships"])
        self.delivered: dict[date, dict[date, int]] = {}

    def deliver(self, quarter: date, rows: int) -> None:
        folder = self.settings.raw / "police_uk_street" / quarter.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        for month in _months(quarter):
            name = f"{month:%Y-%m}"
            (folder / f"{name}-street.csv").write_text(month_file(name, rows), newline="")
        self.delivered[quarter] = dict.fromkeys(_months(quarter), rows)

    def expected(self, quarter: date) -> dict[date, int]:
        """Rows by month in what had been delivered by now for ``quarter`` and earlier."""
        return {
            month: rows
            for delivered, months in self.delivered.items()
            if delivered <= quarter
            for month, rows in months.items()
        }

    def released(self, quarter: date) -> dict[date, int]:
        file = self.settings.published / quarter.isoformat() / "csp.duckdb"
        with duckdb.connect(file, read_only=True) as connection:
            rows = connection.execute(
                "select month, sum(offences)::integer from marts.crime_monthly "
                "where offences > 0 group by month"
            ).fetchall()
        return dict(rows)


def _months(quarter: date) -> list[date]:
    return [quarter.replace(month=quarter.month + step) for step in range(3)]


def _at(day: date, hour: int = 6) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=LONDON)


@pytest.fixture
def partnership(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Partnership:
    settings = Settings(home=tmp_path / "var", raw=tmp_path / "raw")
    for name in ("area_lookups", "dwelling_stock", "population_estimates"):
        shutil.copytree(PROJECT / "raw" / name / "2018-04-01", settings.raw / name / "2018-04-01")
    monkeypatch.setenv("CSP_HOME", str(settings.home))
    monkeypatch.setenv("CSP_RAW", str(settings.raw))
    # Tests that also need a model of the sources left out are left out with it.
    monkeypatch.setenv("DBT_INDIRECT_SELECTION", "cautious")
    return Partnership(settings)


def test_two_years_of_quarters_end_in_the_right_releases(partnership: Partnership) -> None:
    with dg.DagsterInstance.get() as instance:
        for number, quarter in enumerate(QUARTERS):
            closed = next_quarter(quarter)
            if quarter not in {LATE, MISSING}:
                partnership.deliver(quarter, rows=20 + number)
                partnership.sensor(_at(closed + timedelta(days=10)), instance)
            partnership.tick(_at(closed + timedelta(days=15)), instance)
            if quarter == LATE:
                # Nothing expected had landed at the tick; it comes nine weeks after it was due.
                moment = closed + timedelta(days=70)
                assert (LATE, "police_uk_street") in {
                    (one.quarter, one.source) for one in late_now(partnership.settings, moment)
                }
                partnership.deliver(LATE, rows=20 + number)
                partnership.sensor(_at(moment), instance)
            if number == 6:
                # A correction of an earlier quarter, after the next one was published.
                partnership.deliver(CORRECTED, rows=50)
                partnership.sensor(_at(closed + timedelta(days=30)), instance)

    published = sorted(
        date.fromisoformat(path.parent.name)
        for path in partnership.settings.published.glob("????-??-??/csp.duckdb")
    )
    assert published == [quarter for quarter in QUARTERS if quarter != MISSING]
    assert len(partnership.skipped) == 2
    assert all("Nothing expected" in words for words in partnership.skipped)
    for quarter in published:
        assert partnership.released(quarter) == partnership.expected(quarter), quarter
    current = partnership.settings.published / "csp.duckdb"
    with duckdb.connect(current, read_only=True) as connection:
        assert connection.execute("select quarter from release").fetchall() == [(QUARTERS[-1],)]
        gaps = connection.execute(
            "select distinct status from marts.shoplifting_trends where area_name = 'Fenland' "
            "and period_type = 'month' and period_start = ?", [MISSING],
        ).fetchall()  # fmt: skip
    assert gaps == [("[x]",)]
    # The correction had its own release made again, and the one after it.
    again = [one for one in partnership.ran if one == CORRECTED.isoformat()]
    assert len(again) == 3
