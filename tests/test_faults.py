"""Faults: whatever is done to a refresh, the releases stand and the next refresh puts all right.

Each campaign injects its faults one after the other (tests/fault_bench.py; tests/kill_bench.py for
the whole run, with Dagster and dbt). After each: the earlier
release is byte for byte what it was, the current one is the earlier or the new one and can be
read, the next refresh ends well without a hand's turn, tables, releases and exports are those of a
refresh that nothing happened to, and the messages say what to do.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.config.settings import PROJECT
from tests.fault_bench import CAMPAIGNS

pytestmark = pytest.mark.slow

AT_LEAST = {
    "kills_at_boundaries": 90,
    "kills_at_random": 40,
    "full_disk": 24,
    "permissions": 14,
    "damaged_warehouse": 29,
    "two_at_once": 8,
    "file_being_written": 8,
    "moved_clock": 10,
}
SHORT = {"permissions", "file_being_written"}
"""Campaigns of a minute. The others take several and run nightly."""
WHOLE_RUN_KILLS = 52
"""Two for each of the 18 steps, ten within dbt's build, six at random."""
TAKES_EFFECT = {"kills_at_boundaries", "permissions", "two_at_once", "file_being_written"}
"""Campaigns in which most faults must have stopped the refresh, or the bench is blunt."""


def test_bench_injects_two_hundred_faults() -> None:
    assert AT_LEAST.keys() == CAMPAIGNS.keys()
    assert sum(AT_LEAST.values()) >= 200


@pytest.mark.parametrize(
    "campaign",
    [pytest.param(name, marks=() if name in SHORT else pytest.mark.campaign) for name in CAMPAIGNS],
)
def test_nothing_is_lost(campaign: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fault_bench", str(tmp_path), campaign],
        cwd=PROJECT, env=os.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) >= AT_LEAST[campaign]
    assert [one for one in results if one["amiss"]] == []
    assert max(one["runs"] for one in results) == 1
    if campaign in TAKES_EFFECT:
        stopped = [one for one in results if one["code"] != 0]
        assert len(stopped) >= 0.75 * len(results)


@pytest.mark.campaign
def test_the_whole_run_may_be_killed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.kill_bench", str(tmp_path)],
        cwd=PROJECT, env=os.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one for one in results if one["amiss"]] == []
    assert sum(len(one["kills"]) for one in results) == WHOLE_RUN_KILLS
    # A second after the release has begun, a run may have ended.
    assert sum(one["died"] for one in results) >= WHOLE_RUN_KILLS - 2
