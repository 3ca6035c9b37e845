"""Two years unattended: eight schedule ticks, late, corrected and missing deliveries.

The schedule and the sensors are ticked by a clock of the test's own, and every run that they ask
for is executed. Street-level crime alone is delivered, in small files; what each release must hold
is counted here from what was delivered, as at its quarter.
"""

import json
import shutil
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import duckdb
import pytest

from orchestration.cli.prepare import prepare
from orchestration.config.quarters import next_quarter
from orchestration.config.settings import PROJECT, Settings
from orchestration.dagster.schedules import REFRESH_SCHEDULE
from orchestration.dagster.sensors import late_now, look
from orchestration.transform.dbt_runner import manifest_path, stamp_prepared
from tests.support import month_file

LONDON = ZoneInfo("Europe/London")
FIRST = date(2018, 4, 1)
QUARTERS = [FIRST]
while len(QUARTERS) < 8:
    QUARTERS.append(next_quarter(QUARTERS[-1]))
CRIME = {"dim_area", "dim_month", "crime_monthly", "shoplifting_trends", "burglary_trends",
         "figure_10_shoplifting", "figure_11_burglary"}  # fmt: skip
LATE, MISSING, CORRECTED = QUARTERS[2], QUARTERS[4], QUARTERS[5]

pytestmark = [pytest.mark.slow, pytest.mark.campaign]


class Partnership:
    """A warehouse that nobody watches, and the clock on its wall."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.cursor: str | None = None
        self.delivered: dict[date, dict[date, int]] = {}
        self.ran: list[str] = []
        self.asked: set[str] = set()
        self.skipped: list[str] = []
        prepare(settings)
        self._publish_crime_only()
        from orchestration.definitions import warehouse

        definitions = warehouse()
        assert isinstance(definitions, dg.Definitions)
        self.repository = definitions.get_repository_def()
        self.schedule = definitions.resolve_schedule_def(REFRESH_SCHEDULE)
        self.job = definitions.resolve_job_def("quarterly_refresh")
        exports = dg.AssetSelection.keys(["exports", "partnerships"])
        graph = definitions.resolve_asset_graph()
        needed = exports.upstream().required_multi_asset_neighbors().resolve(graph)
        self.selection = [key for key in needed if key in graph.materializable_asset_keys]

    def _publish_crime_only(self) -> None:
        """The other sources' models would only make each of the runs longer."""
        path = manifest_path(self.settings)
        manifest = json.loads(path.read_text())
        for node in manifest["nodes"].values():
            about = node["config"].get("meta", {}).get("csp", {})
            if about.get("publish"):
                about["publish"] = node["name"] in CRIME
        path.write_text(json.dumps(manifest))
        stamp_prepared(self.settings)

    def deliver(self, quarter: date, rows: int) -> None:
        folder = self.settings.raw / "police_uk_street" / quarter.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        for month in _months(quarter):
            name = f"{month:%Y-%m}"
            (folder / f"{name}-street.csv").write_text(month_file(name, rows), newline="")
        self.delivered[quarter] = dict.fromkeys(_months(quarter), rows)

    def sensor(self, moment: datetime, instance: dg.DagsterInstance) -> None:
        """Tick twice, so far apart that what has landed has kept still."""
        for after in (0, 300):
            tick = look(self.settings, self.cursor, moment.timestamp() + after)
            self.cursor = tick.cursor
            for request in tick.run_requests or []:
                self._run(request, instance)

    def tick(self, moment: datetime, instance: dg.DagsterInstance) -> None:
        context = dg.build_schedule_context(
            instance=instance, repository_def=self.repository, scheduled_execution_time=moment
        )
        ticked = self.schedule.evaluate_tick(context)
        if ticked.skip_message:
            self.skipped.append(ticked.skip_message)
        for request in ticked.run_requests or []:
            self._run(request, instance)

    def _run(self, request: Any, instance: dg.DagsterInstance) -> None:
        assert request.run_key not in self.asked or request.partition_key == request.run_key
        self.asked.add(request.run_key)
        result = self.job.execute_in_process(
            partition_key=request.partition_key,
            instance=instance,
            asset_selection=self.selection,
            tags=request.tags,
            raise_on_error=False,
        )
        assert result.success, [event.message for event in result.all_events if event.is_failure]
        self.ran.append(request.partition_key)

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
