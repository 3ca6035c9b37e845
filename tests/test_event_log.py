"""Dagster's event log as it is kept here is one that any Dagster can read."""

import shutil
from pathlib import Path

import dagster as dg
import pytest

from orchestration.config.settings import PROJECT


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(PROJECT / "orchestration" / "dagster" / "dagster.yaml", tmp_path / "dagster.yaml")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return tmp_path


@dg.asset(check_specs=[dg.AssetCheckSpec("holds", asset="counts")])
def counts() -> dg.MaterializeResult:
    return dg.MaterializeResult(
        metadata={"dagster/row_count": 3},
        check_results=[dg.AssetCheckResult(passed=True, check_name="holds")],
    )


def test_dagsters_own_storage_reads_what_was_kept(home: Path) -> None:
    with dg.DagsterInstance.get() as instance:
        runs = [dg.materialize([counts], instance=instance).run_id for _ in range(2)]
    # Without the entry in dagster.yaml this is Dagster's own storage, in its own place.
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.get() as plain:
        for run in runs:
            events = [one.dagster_event_type for one in plain.all_logs(run)]
            assert dg.DagsterEventType.ASSET_CHECK_EVALUATION in events
            assert events[-1] == dg.DagsterEventType.RUN_SUCCESS
        latest = plain.get_latest_materialization_event(dg.AssetKey("counts"))
        assert latest is not None
        assert latest.run_id == runs[1]


def test_events_written_elsewhere_are_seen_at_once(home: Path) -> None:
    """The Dagster UI and a refresh in a terminal are two processes over one log."""
    with dg.DagsterInstance.get() as screen, dg.DagsterInstance.get() as terminal:
        assert screen.get_latest_materialization_event(dg.AssetKey("counts")) is None
        run = dg.materialize([counts], instance=terminal).run_id
        latest = screen.get_latest_materialization_event(dg.AssetKey("counts"))
        assert latest is not None
        assert latest.run_id == run
        assert len(screen.all_logs(run)) == len(terminal.all_logs(run)) > 3
        terminal.wipe()
        assert terminal.get_latest_materialization_event(dg.AssetKey("counts")) is None
