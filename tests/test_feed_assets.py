"""Feeds in Dagster: nothing is fetched unless switched on, and only for the last closed quarter."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from orchestration.config.quarters import last_closed_quarter, quarters_before
from orchestration.config.settings import Settings
from orchestration.dagster.assets.feeds import feed_assets, feed_key, fetch_if_on, fetch_metadata
from orchestration.dagster.jobs import fetch_job
from orchestration.dagster.partitions import quarterly
from orchestration.dagster.schedules import fetch_request, fetch_schedule
from orchestration.errors import foreseen_errors
from orchestration.feeds.feed_file import fed_sources
from orchestration.feeds.fetching import FetchOutcome
from orchestration.feeds.publishers.police_archive import months_of
from orchestration.ingest.checking.contract import load_contracts
from tests.feed_server import index_page, street_zip
from tests.support import month_file

STREET = "police_uk_street"


def manifest() -> dict[str, Any]:
    """Return what a manifest says of each source, as far as feeds need it."""
    return {
        "sources": {
            name: {
                "name": name,
                "source_name": "in_force",
                "meta": {
                    "csp": {
                        key: str(getattr(one, key))
                        for key in ("title", "supplier", "licence", "cadence", "counts")
                    }
                },
            }
            for name, one in load_contracts().items()
        }
    }


def closed() -> date:
    return last_closed_quarter(datetime.now(ZoneInfo("Europe/London")).date())


@pytest.fixture
def mirrored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a mirror whose archive has the quarter that has closed last."""
    months = months_of(closed())
    archive = street_zip({month: month_file(month) for month in months})
    folder = tmp_path / "mirror/data.police.uk/data/archive"
    folder.mkdir(parents=True)
    (folder / f"{months[-1]}.zip").write_bytes(archive)
    page = index_page({months[-1]: hashlib.md5(archive).hexdigest()})
    (folder / "index.html").write_bytes(page)
    for name, value in {"HOME": "var", "RAW": "raw", "FEED_MIRROR": "mirror"}.items():
        monkeypatch.setenv(f"CSP_{name}", str(tmp_path / value))
    return Settings()


@contextmanager
def materialized(source: str, quarter: date) -> Iterator[dg.ExecuteInProcessResult]:
    assets = feed_assets(manifest(), quarterly(Settings()))
    with dg.DagsterInstance.ephemeral() as instance:
        yield dg.materialize(
            [one for one in assets if feed_key(source) in one.keys],
            partition_key=quarter.isoformat(),
            instance=instance,
            raise_on_error=False,
        )


def outcome_of(done: dg.ExecuteInProcessResult) -> Any:
    (event,) = done.get_asset_materialization_events()
    return {name: one.value for name, one in event.materialization.metadata.items()}["outcome"]


def landed(settings: Settings) -> list[str]:
    return sorted(path.parent.name for path in settings.raw.rglob("*-street.csv"))


def test_every_source_with_a_feed_has_an_asset(ground: Any) -> None:
    keys = {key for one in feed_assets(manifest(), quarterly(Settings())) for key in one.keys}
    assert keys == {feed_key(source) for source in fed_sources()}


def test_nothing_is_fetched_unless_switched_on(mirrored: Settings) -> None:
    with materialized(STREET, closed()) as done:
        assert done.success
        assert outcome_of(done) == "Not switched on: CSP_FEEDS does not name the source."
    assert landed(mirrored) == []


def test_a_source_that_is_switched_on_lands_for_the_last_closed_quarter(
    mirrored: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CSP_FEEDS", STREET)
    with materialized(STREET, quarters_before(closed(), 1)) as done:
        assert "only the quarter that has closed last" in outcome_of(done)
    assert landed(mirrored) == []
    with materialized(STREET, closed()) as done:
        assert outcome_of(done) == "landed"
    assert landed(mirrored) == [closed().isoformat()] * 3
    with materialized(STREET, closed()) as done:
        assert outcome_of(done) == "nothing new"


def test_what_cannot_be_fetched_fails_the_run_with_its_message(
    mirrored: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CSP_FEEDS", STREET)
    (Path(str(mirrored.feed_mirror)) / "data.police.uk/data/archive/index.html").unlink()
    with materialized(STREET, closed()) as done:
        assert not done.success
        (failed,) = done.get_step_failure_events()
        error = failed.step_failure_data.error
        cause = error.cause if error and error.cause else error
        assert cause and "the mirror folder has no file" in cause.message
    assert {"MirrorError", "TooSlowError", "LayoutError"} <= foreseen_errors().keys()


def test_metadata_name_files_and_what_is_missing(mirrored: Settings) -> None:
    settings = mirrored.model_copy(update={"feeds": STREET})
    today = datetime.now(ZoneInfo("Europe/London")).date()
    shown = fetch_metadata(fetched(settings, today))
    assert shown["requests"] >= 3
    assert "10 rows, new" in str(shown["files"].value)
    assert "notes" not in shown


def test_the_schedule_asks_for_what_is_switched_on() -> None:
    today = date(2019, 2, 3)
    asked = fetch_request(Settings(feeds=f"{STREET},dwelling_stock"), today)
    assert isinstance(asked, dg.RunRequest)
    assert asked.partition_key == "2018-10-01"
    assert asked.asset_selection == [feed_key(STREET), feed_key("dwelling_stock")]
    nothing, wrong = fetch_request(Settings(), today), fetch_request(Settings(feeds="x"), today)
    assert isinstance(nothing, dg.SkipReason) and isinstance(wrong, dg.SkipReason)
    assert nothing.skip_message == "CSP_FEEDS names no source."
    assert "CSP_FEEDS names x, which cannot be fetched" in str(wrong.skip_message)


@pytest.mark.parametrize(("feeds", "state"), [(None, "STOPPED"), (STREET, "RUNNING")])
def test_the_schedule_runs_where_a_source_is_switched_on(feeds: str | None, state: str) -> None:
    schedule = fetch_schedule(Settings(feeds=feeds), fetch_job())
    assert schedule.default_status.value == state


def archive_of(settings: Settings, months: dict[str, str]) -> None:
    """Put an archive of these months into the mirror."""
    folder = Path(str(settings.feed_mirror)) / "data.police.uk/data/archive"
    for path in folder.iterdir():
        path.unlink()
    archive = street_zip(months)
    (folder / f"{max(months)}.zip").write_bytes(archive)
    page = index_page({max(months): hashlib.md5(archive).hexdigest()})
    (folder / "index.html").write_bytes(page)


def fetched(settings: Settings, today: date) -> list[FetchOutcome]:
    outcomes = fetch_if_on(settings, STREET, [last_closed_quarter(today)], today)
    assert not isinstance(outcomes, str)
    return outcomes


def test_a_month_that_comes_when_the_next_quarter_has_closed_is_fetched(mirrored: Settings) -> None:
    settings = mirrored.model_copy(update={"feeds": STREET})
    folder = settings.raw / STREET / "2018-10-01"
    first = {month: month_file(month) for month in ("2018-10", "2018-11")}
    archive_of(settings, {"2018-07": month_file("2018-07"), **first})
    fetched(settings, date(2019, 2, 1))
    before = {path.name: path.read_bytes() for path in folder.glob("*.csv")}
    assert sorted(before) == [f"{month}-cambridgeshire-street.csv" for month in first]

    revised = {month: month_file(month, 20) for month in months_of(date(2018, 10, 1))}
    later = {month: month_file(month) for month in months_of(date(2019, 1, 1))}
    archive_of(settings, {"2018-07": month_file("2018-07"), **revised, **later})
    outcomes = fetched(settings, date(2019, 5, 1))
    assert {one.quarter for one in outcomes if one.landed} == {date(2018, 10, 1), date(2019, 1, 1)}
    after = {path.name: path.read_bytes() for path in folder.glob("*.csv")}
    # What had landed stays as it was; quarters before the first that was fetched are left alone.
    assert after.keys() - before.keys() == {"2018-12-cambridgeshire-street.csv"}
    assert all(after[name] == content for name, content in before.items())
    assert not (settings.raw / STREET / "2018-07-01").exists()


def test_a_quarter_with_a_file_landed_by_hand_is_left_alone(mirrored: Settings) -> None:
    settings = mirrored.model_copy(update={"feeds": STREET})
    months = {month: month_file(month) for month in ("2018-10", "2018-11")}
    archive_of(settings, months)
    fetched(settings, date(2019, 2, 1))
    folder = settings.raw / STREET / "2018-10-01"
    (folder / "december.csv").write_text(month_file("2018-12"), newline="")
    more = {month: month_file(month) for month in ("2018-12", "2019-01")}
    archive_of(settings, months | more)
    assert [one.quarter for one in fetched(settings, date(2019, 5, 1))] == [date(2019, 1, 1)]
    assert len(list(folder.glob("*.csv"))) == 3


def test_an_archive_that_lacks_a_month_is_read_once(mirrored: Settings) -> None:
    settings = mirrored.model_copy(update={"feeds": STREET})
    archive_of(settings, {month: month_file(month) for month in ("2018-10", "2018-12")})
    (first,) = fetched(settings, date(2019, 2, 1))
    (again,) = fetched(settings, date(2019, 2, 2))
    assert first.received > 0
    assert (again.requests, again.received) == (2, 0)
    assert len(again.unchanged) == 2
    (said,) = again.notes
    assert said == first.notes[0] and "for November 2018; the reason is not known" in said


def test_a_late_month_that_cannot_be_used_is_a_note(mirrored: Settings) -> None:
    settings = mirrored.model_copy(update={"feeds": STREET})
    archive_of(settings, {month: month_file(month) for month in ("2018-10", "2018-11")})
    fetched(settings, date(2019, 2, 1))
    archive_of(settings, {"2018-12": "not,street\r\n1,2\r\n", "2019-01": month_file("2019-01")})
    closed, late = fetched(settings, date(2019, 5, 1))
    assert closed.landed and not late.landed
    assert "Not landed" in late.notes[0] and "2018-12" in late.notes[0]
