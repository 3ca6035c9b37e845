"""The progress of ``csp refresh`` moves on a terminal, and is plain lines elsewhere."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from orchestration.config.settings import PROJECT
from orchestration.dagster.step_progress import BuildCounts, BuildWatch
from tests.support import Ground
from tests.terminal import record

RUN = """
import sys, time
from datetime import date
import dagster as dg
from orchestration.cli.console import new_console
from orchestration.cli.refresh_progress import refresh_progress
from orchestration.dagster.jobs import PROGRESS_LOGGER, progress_logger
from orchestration.dagster.step_progress import StepLog

MODELS = 5

def event(kind):
    return {"data": {"node_info": {"resource_type": kind}, "total": 2 * MODELS}}

@dg.op
def raw__police_uk_street():
    time.sleep(0.4)

@dg.op(ins={"start": dg.In(dg.Nothing)})
def marts(context):
    watch = StepLog(context.log.info, date(2018, 10, 1)).building(MODELS)
    for _ in range(MODELS):
        time.sleep(0.2)
        watch.heard(event("model"))
        watch.heard(event("test"))

@dg.op(ins={"start": dg.In(dg.Nothing)})
def published__csp():
    time.sleep(0.4)

@dg.job(logger_defs={PROGRESS_LOGGER: progress_logger})
def job():
    published__csp(start=marts(start=raw__police_uk_street()))

console = new_console()
console.print("Refreshing Q3 2018/19 (2018-10-01)")
with dg.DagsterInstance.get() as instance, refresh_progress(console) as progress:
    progress.preparing()
    time.sleep(0.3)
    progress.begin(3)
    done = job.execute_in_process(
        instance=instance, run_config={"loggers": {PROGRESS_LOGGER: {}}}
    )
console.print("Checks: 5 of 5 passed.")
"""
"""A run under Dagster's own capture of standard output."""


def environment(home: Path) -> dict[str, str]:
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return {**os.environ, "DAGSTER_HOME": str(home), "PYTHONWARNINGS": "ignore"}


def models_built(frames: Iterable[tuple[float, str]]) -> list[tuple[float, int]]:
    """When the terminal showed how many models built, each number once."""
    seen: dict[int, float] = {}
    for at, text in frames:
        for number in re.findall(r"Models\s.*?(\d+) of \d+", text):
            seen.setdefault(int(number), at)
    return [(at, number) for number, at in seen.items()]


def test_bars_move_while_dagster_captures_standard_output(tmp_path: Path) -> None:
    made = record([sys.executable, "-c", RUN], environment(tmp_path), columns=80)
    assert made.code == 0, made.text
    frames = made.frames()
    shown = {
        words: next((at for at, text in frames if words in text), None)
        for words in ("Preparing", "Loading police_uk_street", "building 5 models",
                      "Publishing the release", "Checks: 5 of 5 passed.")
    }  # fmt: skip
    times = list(shown.values())
    assert None not in times, shown
    assert times == sorted(times, key=lambda at: at or 0)
    assert len(set(times)) == len(times), "each at its own time, not all at the end"
    counts = models_built(frames)
    assert [number for _, number in counts] == [0, 1, 2, 3, 4, 5]
    assert counts[-1][0] - counts[0][0] > 0.5
    assert "2 of 3 steps" in made.text
    # Nothing is left of the bars, and no line was wider than the terminal.
    assert "Publishing" not in made.text[made.text.index("Checks: 5 of 5") :]
    assert made.longest_line() <= 80
    assert list(tmp_path.rglob("*.out")), "Dagster captured standard output"


@pytest.mark.slow
@pytest.mark.parametrize("columns", [40, 120])
def test_bars_fit_a_terminal(tmp_path: Path, columns: int) -> None:
    made = record([sys.executable, "-c", RUN], environment(tmp_path), columns=columns)
    assert made.code == 0, made.text
    assert [number for _, number in models_built(made.frames())] == [0, 1, 2, 3, 4, 5]
    assert made.longest_line() <= columns


def test_a_pipe_gets_a_plain_line_for_each_step(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        env=environment(tmp_path), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "\x1b" not in done.stdout and "\r" not in done.stdout
    assert done.stdout.splitlines() == [
        "Refreshing Q3 2018/19 (2018-10-01)",
        "Preparing",
        "Step 1 of 3: Loading police_uk_street",
        "Step 2 of 3: Building the models",
        "  Q3 2018/19: building 5 models",
        "  5 of 5 models built, 5 of 5 checks made",
        "Step 3 of 3: Publishing the release",
        "Checks: 5 of 5 passed.",
    ]


def test_models_are_counted_from_dbts_events_and_logged_seldom() -> None:
    reports: list[tuple[BuildCounts, bool]] = []

    def report(counts: BuildCounts, *, logged: bool) -> None:
        reports.append((counts, logged))

    watch = BuildWatch(2, report)
    for kind in ("seed", "test", "model", "test"):
        watch.heard({"data": {"node_info": {"resource_type": kind}, "total": 4}})
    assert [counts for counts, _ in reports] == [
        BuildCounts(1, 2, 0, 2),
        BuildCounts(1, 2, 1, 2),
        BuildCounts(2, 2, 1, 2),
        BuildCounts(2, 2, 2, 2),
    ]
    assert [logged for _, logged in reports] == [False, False, False, True]


@pytest.mark.slow
@pytest.mark.campaign
def test_csp_refresh_moves_on_a_terminal(ground: Ground) -> None:
    settings = ground.settings
    made = record(
        [sys.executable, "-m", "orchestration.cli", "refresh", "2018-04-01"],
        {**os.environ, "CSP_HOME": str(settings.home), "CSP_RAW": str(PROJECT / "raw")},
    )
    assert made.code == 0, made.text
    frames = made.frames()
    end = frames[-1][0]
    loads = {match for _, text in frames for match in re.findall(r"Loading (\w+)", text)}
    assert len(loads) >= 3
    counts = models_built(frames)
    assert len(counts) > 20
    assert [number for _, number in counts] == sorted(number for _, number in counts)
    assert counts[0][0] < counts[-1][0] < end
    assert "Publishing the release" in made.text
