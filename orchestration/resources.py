"""What the assets share: the settings, and the right to write the warehouse for a whole run."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from orchestration.access import restrict
from orchestration.backup import MENDED, mend, utc_now
from orchestration.errors import WarehouseBusyError
from orchestration.running import marked_as_running
from orchestration.settings import Settings, load_settings
from orchestration.warehouse import writer_lock

STARTED_BY = "csp/started_by"
"""Tag of a run that a person started at a terminal, and who is told at once what stops it."""

_RETRIES = 3
_RETRY_WAIT_SECONDS = 60


class WarehouseWriter(dg.ConfigurableResource[Any]):
    """The warehouse's settings, with its write lock held from a run's first step to its last.

    The executor is in-process, so Dagster sets this up once for a run.
    """

    _settings: Settings = PrivateAttr()

    @property
    def settings(self) -> Settings:
        """Settings read when the run began."""
        return self._settings

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["WarehouseWriter"]:
        """Hold the lock for as long as the run lasts; a run that nobody watches waits for it.

        A warehouse that is found damaged is mended first.
        """
        self._settings = load_settings()
        restrict(self._settings)
        run = context.run
        what = f"Run {run.run_id[:8]}" if run else "A run"
        watched = run is None or STARTED_BY in run.tags
        wait = self._settings.lock_wait_seconds
        if not watched:
            wait = max(wait, self._settings.run_lock_wait_seconds)
        with _marked(context, watched), writer_lock(self._settings.home, what, wait):
            mend(self._settings, _teller(context), utc_now())
            yield self


def _marked(context: dg.InitResourceContext, watched: bool) -> AbstractContextManager[None]:
    """Mark a run that nobody watches as running; what a person started is marked already."""
    if watched or context.run is None or context.instance is None:
        return nullcontext()
    return marked_as_running(context.instance, context.run.run_id)


def _teller(context: dg.InitResourceContext) -> Callable[[str], None]:
    return lambda words: context.log.warning(f"{MENDED}{words}") if context.log else None


@contextmanager
def asking_again(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Have Dagster try a step again where somebody holds the warehouse open.

    That is the one fault which time mends; every other one would come again. A person at a
    terminal is told at once instead.
    """
    try:
        yield
    except WarehouseBusyError as error:
        if STARTED_BY in context.run.tags:
            raise
        raise dg.RetryRequested(_RETRIES, _RETRY_WAIT_SECONDS) from error
