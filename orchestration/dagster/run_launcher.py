"""Which runs are alive: each run locks a file beside Dagster's records while its process lives.

Dagster learns of a run's end from the run itself. A run that was killed would be shown as running
for ever, and the queue, which starts one run at a time, would start no other.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from orchestration.dagster.private_interfaces import (
    CheckRunHealthResult,
    DefaultRunLauncher,
    WorkerStatus,
)
from orchestration.warehouse.connection import unlockable, unwritable

CUT_SHORT = (
    "Its process ended without a message: it was killed, ran out of memory, or the machine "
    "stopped. The releases are complete and nothing needs cleaning up: refresh the quarter again."
)
_BEGINNING_SECONDS = 300
"""How long a run may take from its start to its mark; it is a matter of seconds."""

_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@contextmanager
def marked_as_running(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Hold the lock on the mark of a run, for as long as this process lives or the run lasts.

    Raises :class:`StorageError` where the mark cannot be written.
    """
    mark = _marks(instance) / run_id
    new = mark.with_name(f".{mark.name}")
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(new, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unwritable(mark, error.strerror or str(error)) from error
    try:
        # Locked before it has its name, so that nobody finds it without its lock.
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as error:
            raise unlockable(new, error) from error
        new.replace(mark)
        yield
    finally:
        mark.unlink(missing_ok=True)
        os.close(handle)


def end_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark every run as failed whose process has ended without a word; return their ids."""
    dead = [
        run
        for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED))
        if not is_alive(instance, run)
    ]
    for run in dead:
        instance.report_run_failed(run, CUT_SHORT)
    for mark in _marks(instance).glob("[!.]*"):
        if mark.is_file() and not _is_held(mark):
            mark.unlink(missing_ok=True)
    return [run.run_id for run in dead]


def is_alive(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Say whether the process of an unfinished run lives, as far as can be known here.

    A run without a mark has not come as far as that yet, or its process ended before it did.
    """
    held = _is_held(_marks(instance) / run.run_id)
    if held is not None:
        return held
    record = instance.get_run_record_by_id(run.run_id)
    began = record.start_time if record else None
    return began is None or time.time() - began < _BEGINNING_SECONDS


def _is_held(mark: Path) -> bool | None:
    """Say whether a living process holds the mark; none where there is no mark."""
    try:
        handle = os.open(mark, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _marks(instance: dg.DagsterInstance) -> Path:
    return Path(instance.root_directory) / "running"


class WatchedRunLauncher(DefaultRunLauncher):
    """Dagster's own launcher, which also answers the daemon's question whether a run is alive."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Runs can be asked after, whoever has started them."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Return whether the process of a run lives."""
        if is_alive(self._instance, run):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, CUT_SHORT)
