"""Runs whose process has died: the daemon and the next ``csp refresh`` find them out."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus

from orchestration.cli.prepare import prepare
from orchestration.config.settings import PROJECT, Settings
from orchestration.dagster.run_launcher import CUT_SHORT, end_dead_runs, is_alive, marked_as_running


@dg.job
def refresh() -> None:
    """A job of no steps."""


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    shutil.copy(PROJECT / "orchestration" / "dagster" / "dagster.yaml", tmp_path / "dagster.yaml")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as instance:
        yield instance


def begun(instance: dg.DagsterInstance) -> dg.DagsterRun:
    run = instance.create_run_for_job(refresh)
    event = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name)
    instance.report_dagster_event(event, run.run_id)
    found = instance.get_run_by_id(run.run_id)
    assert found and found.status == dg.DagsterRunStatus.STARTED
    return found


def begun_and_killed(instance: dg.DagsterInstance) -> dg.DagsterRun:
    """A run that is marked by a process which is then killed."""
    run = begun(instance)
    if (pid := os.fork()) == 0:
        with marked_as_running(instance, run.run_id):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    return run


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRunStatus:
    found = instance.get_run_by_id(run.run_id)
    assert found
    return found.status


def test_a_run_whose_process_was_killed_is_failed_with_words(instance: dg.DagsterInstance) -> None:
    living, dead = begun(instance), begun_and_killed(instance)
    with marked_as_running(instance, living.run_id):
        assert end_dead_runs(instance) == [dead.run_id]
        assert status(instance, living) == dg.DagsterRunStatus.STARTED
        assert end_dead_runs(instance) == []
    assert status(instance, dead) == dg.DagsterRunStatus.FAILURE
    last = instance.all_logs(dead.run_id)[-1].dagster_event
    assert last and last.message == CUT_SHORT
    assert list((Path(instance.root_directory) / "running").iterdir()) == []


def test_the_daemon_is_reported_which_runs_live(instance: dg.DagsterInstance) -> None:
    launcher = instance.run_launcher
    assert instance.run_monitoring_enabled
    assert launcher.supports_check_run_worker_health
    living, dead = begun(instance), begun_and_killed(instance)
    with marked_as_running(instance, living.run_id):
        assert launcher.check_run_worker_health(living).status == WorkerStatus.RUNNING
    told = launcher.check_run_worker_health(dead)
    assert told.status == WorkerStatus.FAILED
    assert "refresh the quarter again" in str(told)


def test_a_run_without_a_mark_is_given_time_to_come_to_it(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(instance)
    assert is_alive(instance, run)
    monkeypatch.setattr("orchestration.dagster.run_launcher._BEGINNING_SECONDS", -1)
    assert not is_alive(instance, run)
    # What has not begun is waiting to be launched.
    assert is_alive(instance, instance.create_run_for_job(refresh))


def test_dagsters_databases_stand_before_webserver_and_daemon_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two programs that made them at the same moment would fail one another."""
    monkeypatch.setattr("orchestration.cli.prepare.prepare_manifest", lambda _: False)
    monkeypatch.setenv("DAGSTER_HOME", "")
    settings = Settings(home=tmp_path / "var", raw=tmp_path / "raw")
    assert prepare(settings)
    for made in ("schedules/schedules.db", "history/runs.db", "history/runs/index.db"):
        assert (settings.dagster_home / made).stat().st_size > 0
    assert not prepare(settings)
