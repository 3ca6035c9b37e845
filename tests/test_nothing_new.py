"""A refresh to which nothing is new is answered from the last one's record; a change never is."""

import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr

from orchestration.cli.recorded_run import ran_before, record_run
from orchestration.cli.refresh_outcome import EXPORTS, RELEASE, Ran
from orchestration.config.settings import Settings
from orchestration.warehouse import refresh_state
from orchestration.warehouse.file_states import file_states
from orchestration.warehouse.refresh_record import (
    keep_left_state,
    keep_record,
    standing_record,
    state_to_record,
)

QUARTER = date(2018, 10, 1)
RUN = "a1b2c3d4"
ENDED = datetime(2018, 11, 30, 6, 0, tzinfo=UTC)
_TICK = 0.03
"""Seconds until a further change of a file bears another time."""

FILES = (
    "raw/police_uk_street/2018-10-01/2018-10-force-street.csv",
    "raw/police_uk_street/2018-10-01/delivery.json",
    "raw/iom_cohort/2018-10-01/register.xlsx",
    "texts/fenland/2018-10-01/summary.md",
    "partnerships.toml",
    "corrections.toml",
    "project/orchestration/ingest/sources/iom_cohort/contract.toml",
    "project/orchestration/cli/refresh.py",
    "project/dbt_project/dbt_project.yml",
    "project/dbt_project/models/marts/target/crime_monthly.sql",
    "project/dbt_project/seeds/pathways.csv",
    "packages/duckdb-1.5.5.dist-info/RECORD",
    "var/warehouse.duckdb",
    "var/pseudonym.key",
    "var/published/csp.duckdb",
    "var/published/2018-10-01/csp.duckdb",
    "var/exports/2018-10-01/fenland/pack.html",
    "var/supplier_reports/iom_cohort/2018-10-01/v1/report.csv",
    "var/dbt/target/manifest.json",
    "var/dagster/dagster.yaml",
)
"""One file of each kind that a refresh reads or leaves."""

NOT_COMPARED = (
    "project/orchestration/cli/__pycache__/refresh.cpython-311.pyc",
    "project/dbt_project/target/manifest.json",
    "project/dbt_project/logs/dbt.log",
    "var/dagster/history/runs.db",
    "var/backups/csp-backup.tar",
    "var/exports/2018-04-01/fenland/pack.html",
    "var/docs/site/index.html",
    "var/warehouse.lock",
)


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Everything that a refresh reads and leaves, as small files, with a record of a refresh."""
    for name in (*FILES, *NOT_COMPARED):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"content of {name}")
    monkeypatch.setattr(refresh_state, "PROJECT", tmp_path / "project")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "packages")])
    settings = _settings(tmp_path)
    _refreshed(settings)
    return settings


def _settings(folder: Path, **others: Any) -> Settings:
    places = {
        "home": folder / "var",
        "raw": folder / "raw",
        "texts": folder / "texts",
        "partnerships": folder / "partnerships.toml",
        "corrections": folder / "corrections.toml",
    }
    return Settings(**{**places, **others})


def _refreshed(settings: Settings) -> None:
    """Record a refresh of the quarter, as it was run and as it ended."""
    read = refresh_state.read_state(settings)
    keep_left_state(settings, [QUARTER], RUN)
    keep_record(settings, [QUARTER], RUN, read, {}, ENDED)


def _stands(settings: Settings) -> bool:
    return standing_record(settings, [QUARTER]) is not None


def _same_size(file: Path) -> None:
    """Change a character and set the time of modification back, as a careless copy does."""
    was = file.stat()
    file.write_text(file.read_text()[:-1] + "!")
    os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))


def _replaced(file: Path) -> None:
    """Put another file with the same size and time under the name."""
    twin = file.with_name("twin")
    shutil.copy2(file, twin)
    twin.replace(file)


def _moved(file: Path) -> None:
    file.rename(file.with_name(f"{file.name}.moved"))


def _linked(file: Path) -> None:
    """Put a link to the same file under the name."""
    moved = file.rename(file.with_name(f"{file.name}.moved"))
    file.symlink_to(moved)


CHANGES: dict[str, Callable[[Path], object]] = {
    "longer": lambda file: file.write_text(file.read_text() + "x"),
    "same size and time": _same_size,
    "another file": _replaced,
    "removed": Path.unlink,
    "renamed": _moved,
    "a link now": _linked,
    "other permissions": lambda file: file.chmod(0o640),
}


def test_a_record_stands_while_nothing_changes(ground: Settings) -> None:
    record = standing_record(ground, [QUARTER])
    assert record is not None
    assert (record.ended_at, record.left.run_id, record.quarters) == (ENDED, RUN, [QUARTER])
    assert record.read.landed_files == 3
    assert record.left.files == 7 + 1


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", FILES)
def test_no_change_of_a_file_is_missed(ground: Settings, name: str, change: str) -> None:
    file = ground.home.parent / name
    time.sleep(_TICK)
    CHANGES[change](file)
    assert not _stands(ground)


@pytest.mark.parametrize("name", NOT_COMPARED)
def test_what_no_refresh_reads_or_leaves_may_change(ground: Settings, name: str) -> None:
    file = ground.home.parent / name
    file.write_text("something else")
    assert _stands(ground)
    file.unlink()
    assert _stands(ground)


_LISTED = ("raw", "texts", "var", "project/orchestration", "project/dbt_project")
"""Folders in which a new file counts."""


@pytest.mark.parametrize("name", [one for one in FILES if one.startswith(_LISTED)])
def test_no_new_file_is_missed(ground: Settings, name: str) -> None:
    file = ground.home.parent / name
    if file.parent.name == "dagster":
        file = ground.home / "purges.json"
    file.with_name("new.csv").write_text("")
    assert not _stands(ground)


def test_an_empty_folder_of_a_quarter_is_a_change(ground: Settings) -> None:
    (ground.raw / "iom_cohort" / "2019-01-01").mkdir()
    assert not _stands(ground)


def test_another_version_of_a_package_is_a_change(ground: Settings) -> None:
    packages = ground.home.parent / "packages"
    (packages / "duckdb-1.5.5.dist-info").rename(packages / "duckdb-1.5.6.dist-info")
    assert not _stands(ground)


OTHER_VALUES: dict[str, Any] = {
    "memory_limit": "1GiB",
    "threads": 1,
    "first_quarter": date(2012, 1, 1),
    "days_after_quarter": 20,
    "lock_wait_seconds": 5,
    "warehouse_key": SecretStr("b1f0" * 16),
    "pseudonym_key": SecretStr("0c9d2e7f5a6b4813" * 4),
    "rounded_tables": False,
    "profile": "production",
    "run_lock_wait_seconds": 5,
    "quiet_seconds": 5,
    "alert_webhook": SecretStr("https://alerts.example/hook"),
    "smtp_host": "mail.example",
    "smtp_port": 26,
    "smtp_starttls": True,
    "smtp_user": "csp",
    "smtp_password": SecretStr("a password"),
    "smtp_from": "csp@example.org",
    "smtp_to": "team@example.org",
    "ui_hosts": "csp.example",
    "feeds": "police_uk_street",
    "feed_mirror": Path("/srv/mirror"),
    "store": "lake",
    "lake_catalogue": SecretStr("postgres:dbname=lake"),
    "lake_data": "s3://lake/csp",
    "lake_s3_endpoint": "https://store.example",
    "lake_s3_region": "eu-west-1",
    "lake_s3_key_id": "csp",
    "lake_s3_secret": SecretStr("a key"),
}
_PLACES = ("home", "raw", "texts", "partnerships", "corrections")


@pytest.mark.parametrize("name", [one for one in Settings.model_fields if one not in _PLACES])
def test_another_value_of_any_setting_is_a_change(ground: Settings, name: str) -> None:
    values = {**dict(ground), name: OTHER_VALUES[name]}
    assert not _stands(Settings.model_construct(**values))


def test_another_key_is_a_change(ground: Settings) -> None:
    folder = ground.home.parent
    one, other = (
        Settings.model_construct(**{**dict(ground), "pseudonym_key": SecretStr(key)})
        for key in ("first key " * 5, "other key " * 5)
    )
    _refreshed(one)
    assert _stands(one)
    assert not _stands(other)
    assert "first key" not in (folder / "var/last_refresh/refresh.json").read_text()


@pytest.mark.parametrize("name", _PLACES)
def test_another_place_of_the_same_files_is_a_change(
    ground: Settings, name: str, tmp_path: Path
) -> None:
    was = getattr(ground, name)
    now = tmp_path / "elsewhere" / was.name
    now.parent.mkdir()
    (shutil.copytree if was.is_dir() else shutil.copy2)(was, now)
    assert not _stands(_settings(tmp_path, **{name: now}))


@pytest.mark.parametrize("name", ["DBT_TARGET_PATH", "TZ"])
def test_another_environment_is_a_change(
    ground: Settings, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "elsewhere")
    assert not _stands(ground)


def test_another_quarter_is_not_answered(ground: Settings) -> None:
    assert standing_record(ground, [date(2018, 7, 1)]) is None
    assert standing_record(ground, [date(2018, 7, 1), QUARTER]) is None


@pytest.mark.parametrize("name", ["left.json", "refresh.json"])
@pytest.mark.parametrize("content", [None, "", "{}", '{"format": 2}', "no JSON"])
def test_a_record_that_is_damaged_is_none(ground: Settings, name: str, content: str | None) -> None:
    file = ground.home / "last_refresh" / name
    file.unlink() if content is None else file.write_text(content)
    if name == "refresh.json":
        assert not _stands(ground)
    else:
        # A run whose own state is not there to be recorded leaves the older record.
        keep_record(ground, [QUARTER], "another run", refresh_state.read_state(ground), {}, ENDED)
        record = standing_record(ground, [QUARTER])
        assert record is not None
        assert record.left.run_id == RUN


def test_what_changes_while_a_refresh_runs_is_not_recorded(ground: Settings) -> None:
    (ground.home / "last_refresh" / "refresh.json").unlink()
    read = refresh_state.read_state(ground)
    (ground.raw / "iom_cohort/2018-10-01/register.xlsx").write_text("another register")
    keep_left_state(ground, [QUARTER], RUN)
    keep_record(ground, [QUARTER], RUN, read, {}, ENDED)
    assert not _stands(ground)


def test_what_changes_after_a_run_gave_its_lock_back_is_not_recorded(ground: Settings) -> None:
    read = refresh_state.read_state(ground)
    keep_left_state(ground, [QUARTER], RUN)
    time.sleep(_TICK)
    ground.warehouse.write_text("what somebody accepted")
    keep_record(ground, [QUARTER], RUN, read, {}, ENDED)
    assert not _stands(ground)


def test_a_program_that_was_just_changed_is_not_recorded(ground: Settings) -> None:
    assert state_to_record(ground) is None
    assert refresh_state.read_state(ground).program_changed_ns > time.time_ns() - 60 * 10**9


@given(
    place=st.sampled_from(FILES[:3]),
    content=st.binary(max_size=40),
    keeps_time=st.booleans(),
)
@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_content_written_is_missed(
    tmp_path: Path, place: str, content: bytes, keeps_time: bool
) -> None:
    file = tmp_path / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"as it was")
    time.sleep(_TICK)
    before, was = file_states([tmp_path]), file.stat()
    file.write_bytes(content)
    if keeps_time:
        os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert file_states([tmp_path]).digest != before.digest


def test_a_folder_that_links_into_itself_ends(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "back").symlink_to(tmp_path)
    (tmp_path / "a" / "nowhere").symlink_to(tmp_path / "gone")
    assert file_states([tmp_path]).files == 0


# --- what is answered ------------------------------------------------------------------------


def _ran(**load: int) -> Ran:
    counts = {
        "deliveries_new": 2,
        "deliveries_unchanged": 3,
        "deliveries_passed_over": 0,
        "rows_loaded": 50,
        "rows_refused": 1,
        "dagster/row_count": 400,
        "warnings": ["a warning on a new delivery"],
    }
    release = {"path": "published", "synthetic": True, "data_up_to": "2018-12-31", "changed": True}
    exports = {"path": "exports", "partnerships": 6, "warnings": ["a typed number"], "changed": 6}
    name = QUARTER.isoformat()
    return Ran(
        True,
        RUN,
        Counter(passed=10),
        metadata={
            "raw/iom_cohort": {**counts, **load},
            "control/in_force": {"corrections_applied": 4},
            RELEASE: release,
            EXPORTS: exports,
        },
        releases={name: release},
        exports={name: exports},
    )


def _recorded(settings: Settings, ran: Ran, state: str = "loaded") -> bool:
    settings.warehouse.unlink(missing_ok=True)
    with duckdb.connect(settings.warehouse) as connection:
        connection.execute("create schema control")
        connection.execute(
            "create table control.deliveries as select 'iom_cohort' as source, "
            f"date '2018-07-01' as quarter, 1 as version, '{state}' as state, 'why' as reason"
        )
    (settings.home / "last_refresh" / "refresh.json").unlink(missing_ok=True)
    read = refresh_state.read_state(settings)
    keep_left_state(settings, [QUARTER], RUN)
    record_run(settings, [QUARTER], ran, read)
    return _stands(settings)


def test_an_answer_is_what_a_run_to_which_nothing_is_new_reports(ground: Settings) -> None:
    assert _recorded(ground, _ran())
    record = standing_record(ground, [QUARTER])
    assert record is not None
    again = ran_before(record)
    load = again.metadata["raw/iom_cohort"]
    assert (load["deliveries_new"], load["deliveries_unchanged"]) == (0, 5)
    assert (load["rows_loaded"], load["rows_refused"], load["dagster/row_count"]) == (0, 0, 400)
    assert load["warnings"] == []
    assert again.metadata["control/in_force"] == {"corrections_applied": 4}
    assert again.metadata[RELEASE]["data_up_to"] == "2018-12-31"
    assert not again.releases[QUARTER.isoformat()]["changed"]
    assert again.exports[QUARTER.isoformat()]["warnings"] == ["a typed number"]
    assert json.loads((ground.home / "last_refresh" / "refresh.json").read_text())["format"] == 1


def test_a_run_that_left_something_open_is_run_again(ground: Settings) -> None:
    assert not _recorded(ground, _ran(deliveries_passed_over=1))
    failed = _ran()
    failed.success = False
    assert not _recorded(ground, failed)
    assert not _recorded(ground, _ran(), state="refused")
    assert _recorded(ground, _ran())
