"""Two years day by day: publishers release, revise, leave out and come late; CSP_FEEDS fetches.

Each day the fetching schedule, the landing-zone sensor and, on its days, the quarterly schedule are
ticked, and every run that they ask for is executed. Each release is compared with what the
publishers' calendar says.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import duckdb
import pytest

from orchestration.config.quarters import next_quarter
from orchestration.config.settings import Settings
from orchestration.dagster.schedules import FETCH_SCHEDULE
from orchestration.errors import foreseen_errors
from orchestration.feeds import fetching
from orchestration.feeds.pacing import Pace
from tests.feed_server import running
from tests.publishers_by_day import (
    DISTRICTS,
    PARTNERSHIPS,
    SLUG,
    TYPES,
    Calendar,
    Change,
    Dwellings,
    Estimates,
    Publishers,
    Recorded,
    months_from,
    write_lookups,
)
from tests.release_rules import Counts, Expected, changes, months_of, quarter_before
from tests.unattended import Unattended

LONDON = ZoneInfo("Europe/London")
FEEDS = ("police_uk_street", "population_estimates", "dwelling_stock", "recorded_crime_by_csp")
MODELS = {"dim_area", "dim_month", "crime_monthly", "crime_trends", "populations",
          "social_housing_stock", "recorded_crime_by_csp"}  # fmt: skip

QUARTERS = [date(2022, 4, 1)]
while len(QUARTERS) < 8:
    QUARTERS.append(next_quarter(QUARTERS[-1]))

TWO_YEARS = Calendar(
    first=date(2022, 7, 1),
    last=date(2024, 6, 30),
    late_archives={
        "2023-02": date(2023, 5, 5),  # ten days late, and after the quarter's schedule
        "2023-06": date(2023, 10, 8),  # when the next quarter has closed
        "2023-07": date(2023, 10, 24),  # nothing of its quarter is there when the schedule runs
    },
    absent={
        "2022-06": date(2022, 10, 25),  # supplied two months later, in the next quarter
        "2022-11": None,  # both are known gaps of this force
        "2022-12": None,
        "2023-01": date(2023, 5, 5),
        "2023-08": None,  # not a known gap
    },
    changes=(
        Change(date(2022, 8, 25), "2022-05", "counts"),
        Change(date(2022, 10, 25), "2022-07", "order"),
        Change(date(2022, 11, 25), "2022-07", "outcomes"),
        Change(date(2023, 3, 25), "2022-04", "counts"),  # of a quarter that is not fetched any more
        Change(date(2023, 6, 25), "2023-02", "counts"),
        Change(date(2024, 2, 25), "2023-11", "counts"),
        Change(date(2024, 3, 25), "2023-10", "counts"),
        Change(date(2024, 3, 25), "2023-11", "outcomes"),
    ),
    packed_again={"2024-02": date(2024, 5, 3)},
    down=frozenset({date(2022, 10, 25), date(2022, 10, 26), date(2023, 1, 16)}),
    estimates={
        date(2021, 6, 25): Estimates(2020),
        date(2022, 12, 25): Estimates(2021),
        date(2023, 11, 25): Estimates(2022, revised=frozenset({2020, 2021})),
    },
    dwellings={
        date(2022, 5, 26): Dwellings(2021),
        date(2023, 5, 25): Dwellings(2022),
        date(2023, 9, 14): Dwellings(2022, revised=frozenset({2021})),
        date(2024, 5, 25): Dwellings(2023, revised=frozenset({2021})),
    },
    recorded={
        date(2022, 4, 25): Recorded(date(2021, 10, 1)),
        date(2022, 7, 25): Recorded(date(2022, 1, 1)),
        date(2022, 10, 27): Recorded(date(2022, 4, 1)),
        date(2023, 1, 25): Recorded(date(2022, 7, 1)),
        date(2023, 4, 25): Recorded(date(2022, 10, 1)),
        date(2023, 7, 25): Recorded(date(2023, 1, 1)),
        date(2023, 8, 25): Recorded(date(2023, 1, 1), corrected=date(2022, 7, 1)),
        date(2023, 10, 25): Recorded(date(2023, 4, 1), corrected=date(2022, 7, 1)),
        date(2024, 1, 25): Recorded(date(2023, 7, 1), corrected=date(2022, 7, 1)),
        date(2024, 4, 25): Recorded(date(2023, 10, 1), corrected=date(2022, 7, 1)),
    },
)


class Clock:
    """The time of day in the simulation, where the warehouse asks for it."""

    at = datetime(2022, 7, 1, tzinfo=LONDON)

    @classmethod
    def now(cls, tz: ZoneInfo) -> datetime:
        return cls.at.astimezone(tz)


@dataclass
class Published:
    """A release as it was last built: its digest and its counts."""

    digest: str
    counts: Counts


@dataclass
class Simulation:
    """Ticks a warehouse through the days of a calendar and compares what it publishes."""

    publishers: Publishers
    warehouse: Unattended
    instance: dg.DagsterInstance
    releases: dict[date, Published] = field(default_factory=dict)
    days: int = 0
    builds: int = 0
    revisions: int = 0
    unchanged: int = 0
    failures: list[tuple[date, str]] = field(default_factory=list)
    notes: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.expected = Expected(self.publishers.calendar)
        self.fetching = self.warehouse.definitions.resolve_schedule_def(FETCH_SCHEDULE)
        self.fetch_job = self.warehouse.definitions.resolve_job_def("fetch_feeds")
        assert self.fetching.cron_schedule == "30 4 * * *"
        assert self.warehouse.schedule.cron_schedule == "0 6 16 1,4,7,10 *"

    def run(self) -> None:
        for day in self.publishers.calendar.days:
            self.days += 1
            self.publishers.open_day(day)
            self.fetch(day)
            landed = self.expected.visit(day)
            before = len(self.warehouse.ran)
            self.warehouse.sensor(_at(day, 5), self.instance)
            asked = [date.fromisoformat(one) for one in self.warehouse.ran[before:]]
            later = {one for one in self.releases if landed and one > min(landed)}
            assert asked == sorted(landed | later), day
            for quarter in asked:
                self.compare(quarter, day)
            if day.day == 16 and day.month in (1, 4, 7, 10):
                self.scheduled(day)

    def fetch(self, day: date) -> None:
        """Evaluate the tick of the day and execute the run that it asks for."""
        Clock.at = _at(day, 4, 30)
        context = dg.build_schedule_context(
            instance=self.instance,
            repository_def=self.warehouse.repository,
            scheduled_execution_time=Clock.at,
        )
        (request,) = self.fetching.evaluate_tick(context).run_requests or []
        done = self.fetch_job.execute_in_process(
            partition_key=request.partition_key,
            instance=self.instance,
            asset_selection=request.asset_selection,
            raise_on_error=False,
        )
        for event in done.get_asset_materialization_events():
            said = event.materialization.metadata
            for name in ("files", "notes"):
                if name in said:
                    self._hear(name, str(said[name].value))
        for one in done.get_step_failure_events():
            error = one.step_failure_data.error
            while error and error.cls_name not in foreseen_errors():
                error = error.cause
            assert error, (day, one.message)
            self.failures.append((day, error.message.strip()))
        down = day in self.publishers.calendar.down
        assert done.success is not down, (day, self.failures[-1:])

    def _hear(self, name: str, said: str) -> None:
        if name == "notes":
            self.notes.add(said.replace("\\", ""))
        else:
            self.unchanged += said.count("published again with the same")

    def scheduled(self, day: date) -> None:
        """Tick the quarterly schedule: what has been published is not published again."""
        quarter = quarter_before(day)
        before = {one: made.digest for one, made in self.releases.items()}
        ran, skipped = len(self.warehouse.ran), len(self.warehouse.skipped)
        self.warehouse.tick(_at(day, 6), self.instance)
        if quarter in self.releases:
            assert self.warehouse.ran[ran:] == [quarter.isoformat()]
            assert self.digest(quarter) == before[quarter], "published twice"
        else:
            assert self.warehouse.ran[ran:] == []
            assert len(self.warehouse.skipped) == skipped + 1
            assert "Nothing expected" in self.warehouse.skipped[-1]

    # --- comparing -----------------------------------------------------------------------------

    def file(self, quarter: date) -> Path:
        return self.warehouse.settings.published / quarter.isoformat() / "csp.duckdb"

    def ask(self, quarter: date, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(self.file(quarter), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def digest(self, quarter: date) -> str:
        ((digest,),) = self.ask(quarter, "select content_digest from release")
        return str(digest)

    def compare(self, quarter: date, day: date) -> None:
        """Compare a release that has just been built with what the calendar says."""
        counts = self.expected.counts(quarter)
        self._compare_crime(quarter, counts, day)
        self._compare_trends(quarter, counts, day)
        self._compare_reference(quarter, day)
        earlier = [one for one in self.releases if one < quarter]
        if earlier:
            last = max(earlier)
            self._compare_changes(quarter, "previous quarter", last, counts, day)
        made = Published(self.digest(quarter), counts)
        replaced = self.releases.get(quarter)
        if replaced and replaced.digest != made.digest:
            self._compare_changes(quarter, "replaced build", quarter, counts, day)
        self.builds += replaced is None or replaced.digest != made.digest
        self.releases[quarter] = made
        current = self.warehouse.settings.published / "csp.duckdb"
        with duckdb.connect(current, read_only=True) as connection:
            found = connection.execute("select quarter from release").fetchall()
        assert found == [(max(self.releases),)], day

    def _compare_crime(self, quarter: date, counts: Counts, day: date) -> None:
        rows = self.ask(
            quarter,
            "select strftime(month, '%Y-%m'), area_code, crime_type, offences, population "
            f"from marts.crime_monthly where area_code in {tuple(DISTRICTS)}",
        )
        found = {(month, area, kind): count for month, area, kind, count, _ in rows}
        named = {key: count for key, count in found.items() if key[2] in TYPES}
        assert named == counts, (day, quarter)
        assert {found[key] for key in found.keys() - named.keys()} <= {0}
        assert {key[0] for key in found} == {key[0] for key in counts}
        estimates = self.expected.populations(quarter)
        for month, area, _, _, population in rows:
            year = int(month[:4])
            known = [one for area_code, one in estimates if area_code == area and one <= year]
            carried = max(known) if year - max(known) <= 2 else None
            assert population == (carried and estimates[area, carried]), (day, quarter, month)

    def _compare_trends(self, quarter: date, counts: Counts, day: date) -> None:
        """A missing month has a row that says so, and neither it nor its quarter has a count."""
        found = {
            (period, start, area, kind): (count, status)
            for period, start, area, kind, count, status in self.ask(
                quarter,
                "select period_type, strftime(period_start, '%Y-%m'), area_code, crime_type, "
                f"offences, status from marts.crime_trends where area_code in {tuple(DISTRICTS)} "
                f"and crime_type in {TYPES}",
            )
        }
        first, last = min(month for month, *_ in counts), months_of(quarter)[-1]
        spanned = [month for month in months_from(first, 36) if month <= last]
        for month in spanned:
            for area in DISTRICTS:
                for kind in TYPES:
                    count, status = found.pop(("month", month, area, kind))
                    assert count == counts.get((month, area, kind)), (day, quarter, month)
                    assert (status == "[x]") == (count is None), (day, quarter, month, status)
        quarters = {start for _, start, *_ in found}
        assert quarters == set(spanned[::3]), (day, quarter)
        for (period, start, area, kind), (count, status) in found.items():
            assert period == "quarter", (start, area)
            months = [counts.get((month, area, kind)) for month in months_from(start, 3)]
            whole = None if None in months else sum(one for one in months if one)
            assert count == whole, (day, quarter, start)
            assert (status == "[x]") == (count is None), (day, quarter, start, status)

    def _compare_reference(self, quarter: date, day: date) -> None:
        populations = self.ask(
            quarter,
            "select area_code, year(population_mid_year), population from marts.populations "
            f"where area_code in {tuple(DISTRICTS)}",
        )
        found = {(area, year): count for area, year, count in populations}
        assert found == self.expected.populations(quarter), (day, quarter)
        stock = self.ask(
            quarter,
            "select area_code, stock_year, dwellings from marts.social_housing_stock "
            f"where area_code in {tuple(DISTRICTS)} and tenure ilike 'local%authority'",
        )
        found = {(area, year): count for area, year, count in stock}
        assert found == self.expected.stock(quarter), (day, quarter)
        official = self.ask(
            quarter,
            "select place_name, period_start, offences from marts.recorded_crime_by_csp "
            "where place_level = 'partnership' and period_type = 'quarter' and is_sum",
        )
        named = {(name, start): count for name, start, count in official}
        assert named == self.expected.official(quarter), (day, quarter)

    def _compare_changes(
        self, quarter: date, compared_with: str, earlier: date, counts: Counts, day: date
    ) -> None:
        """Every figure that differs is named with its cause, and no other is."""
        found = set()
        for key, old, new, kind, cause in self.ask(
            quarter,
            "select key_json, old, new, kind, cause from main.changes where table_name = "
            f"'crime_monthly' and measure = 'offences' and compared_with = '{compared_with}'",
        ):
            row = json.loads(key)
            assert "police_uk_street" in cause or kind == "new period", (day, quarter, cause)
            if row["area_code"] in DISTRICTS and row["crime_type"] in TYPES:
                figures = [None if one is None else int(float(one)) for one in (old, new)]
                found.add((row["month"][:7], row["area_code"], row["crime_type"], *figures, kind))
        wanted = changes(self.releases[earlier].counts, counts, earlier)
        assert found == wanted, (day, quarter, compared_with)
        self.revisions += sum(one[-1] == "revised delivery" for one in wanted)


def _at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), LONDON)


@pytest.fixture
def simulate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Calendar], Simulation]]:
    """Return what makes the simulation of a calendar."""
    settings = Settings(
        home=tmp_path / "var",
        raw=tmp_path / "raw",
        partnerships=tmp_path / "partnerships.toml",
        feeds=",".join(FEEDS),
        first_quarter=date(2022, 4, 1),
    )
    settings.partnerships.write_text(PARTNERSHIPS, encoding="utf-8")
    write_lookups(settings.raw)
    given = {"HOME": settings.home, "RAW": settings.raw, "PARTNERSHIPS": settings.partnerships,
             "FEEDS": settings.feeds, "FIRST_QUARTER": settings.first_quarter}  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(f"CSP_{name}", str(value))
    # Tests that also need a model of the sources left out are left out with it.
    monkeypatch.setenv("DBT_INDIRECT_SELECTION", "cautious")
    monkeypatch.setattr("orchestration.dagster.assets.feeds.datetime", Clock)
    # Waits between requests pass at once.
    monkeypatch.setattr(Pace.__init__, "__defaults__", _unhurried())
    warehouse = Unattended(settings, MODELS, ["published", "csp"])
    with dg.DagsterInstance.get() as instance:

        def make(calendar: Calendar) -> Simulation:
            publishers = Publishers(calendar)
            with running(publishers.server) as transport:
                monkeypatch.setattr(fetching, "_transport", lambda _: transport)
                simulation = Simulation(publishers, warehouse, instance)
                simulation.run()
                return simulation

        yield make


def _unhurried() -> tuple[Any, ...]:
    """Return the defaults of a pace whose clock is moved on by its waits."""
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    pace = Pace()
    return (pace.tries, pace.first_wait, pace.longest_wait, pace.longest_retry_after,
            pace.connect_seconds, pace.silence_seconds, sleep, lambda: passed[0])  # fmt: skip


@pytest.mark.slow
@pytest.mark.campaign
def test_two_years_of_releases_are_published_as_the_publishers_had_them(
    simulate: Callable[[Calendar], Simulation],
) -> None:
    done = simulate(TWO_YEARS)
    assert sorted(done.releases) == QUARTERS
    assert done.days == 731
    assert done.revisions > 0 and done.unchanged > 0
    # Each build that differs is kept, and nothing else.
    files = done.warehouse.settings.published.rglob("csp.duckdb")
    assert len([one for one in files if one.parent.name != "published"]) == done.builds
    # Two quarters had nothing when their schedule ran; the landing-zone sensor published them.
    assert len(done.warehouse.skipped) == 2
    assert [day for day, _ in done.failures] == sorted(TWO_YEARS.down)
    for _, message in done.failures:
        assert "the server answered 503, a fault of its own. Asked 5 times." in message
        assert message.endswith("Nothing was landed. Run the command again later.")
    said = " ".join(done.notes)
    assert "Months without data, known: Devon & Cornwall Police, from November 2022 to" in said
    for month in ("June 2022", "January 2023", "August 2023"):
        assert f"({SLUG}) for {month}; the reason is not known" in said
