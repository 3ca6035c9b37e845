"""Setting up what a run needs: Dagster's home and the parsed dbt project."""

import fcntl
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime

from orchestration.config.garbage_collection import collect_seldom
from orchestration.config.settings import PROJECT, Settings
from orchestration.dagster.record_files import set_aside_damaged
from orchestration.transform.dbt_runner import is_stamped, prepare_manifest
from orchestration.warehouse.connection import unlockable
from orchestration.warehouse.permissions import restrict

_RECORDS = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")


def _unsaid(_: str) -> None:
    """Say nothing."""


def prepare(settings: Settings, say: Callable[[str], None] = _unsaid) -> bool:
    """Write Dagster's settings into its home and parse dbt, where either has changed or is damaged.

    Sets Dagster's environment and what else a run needs in this process. ``say`` receives a message
    on what was damaged and is made again. Returns whether anything had to be done. Raises
    :class:`SettingsError` or :class:`StorageError` where the home cannot be used.
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
    if placed.is_dir():
        shutil.rmtree(placed)
    stale = not placed.exists() or placed.read_bytes() != wanted.read_bytes()
    if stale:
        shutil.copyfile(wanted, placed)
    made = _make_records(settings, say)
    was_prepared = is_stamped(settings)
    parsed = prepare_manifest(settings)
    if parsed and was_prepared:
        say("dbt's parsed project or its lineage was damaged. It was made again.")
    return parsed or stale or made


def _make_records(settings: Settings, say: Callable[[str], None]) -> bool:
    """Make Dagster's databases where there are none; return whether there were none.

    Damaged ones are set aside. Webserver and daemon start at the same moment: each would make them,
    and one would fail.
    """
    lock_file = settings.dagster_home / ".records.lock"
    with lock_file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            raise unlockable(lock_file, error) from error
        damaged = set_aside_damaged(settings.dagster_home, f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        for file in damaged:
            say(f"{file} was damaged. It was set aside, and Dagster makes a new one.")
        if all((settings.dagster_home / place).exists() for place in _RECORDS):
            return False
        import dagster as dg

        with dg.DagsterInstance.get():
            return True
