"""Setting up what a run needs: Dagster's home and the parsed dbt project."""

import fcntl
import os
import shutil

from orchestration.config.garbage_collection import collect_seldom
from orchestration.config.settings import PROJECT, Settings
from orchestration.transform.dbt_runner import prepare_manifest
from orchestration.warehouse.permissions import restrict


def prepare(settings: Settings) -> bool:
    """Write Dagster's settings into its home and parse dbt, where either has changed.

    Sets Dagster's environment and what else a run needs in this process. Returns whether anything
    had to be done.
    """
    collect_seldom()
    restrict(settings)
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    settings.raw.mkdir(parents=True, exist_ok=True)
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    # One write for many events: a refresh logs several hundred, each a transaction otherwise.
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "200")
    wanted = PROJECT / "orchestration" / "dagster" / "dagster.yaml"
    placed = settings.dagster_home / "dagster.yaml"
    stale = not placed.exists() or placed.read_bytes() != wanted.read_bytes()
    if stale:
        shutil.copyfile(wanted, placed)
    made = _make_records(settings)
    return prepare_manifest(settings) or stale or made


def _make_records(settings: Settings) -> bool:
    """Make Dagster's databases where there are none; return whether there were none.

    Webserver and daemon start at the same moment: each would make them, and one would fail.
    """
    with (settings.dagster_home / ".records.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (settings.dagster_home / "schedules" / "schedules.db").exists():
            return False
        import dagster as dg

        with dg.DagsterInstance.get():
            return True
