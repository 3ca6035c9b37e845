"""The resource that assets share: the settings and the writer's lock for a whole run."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from datetime import date
from typing import Any

import dagster as dg
import duckdb
from pydantic import PrivateAttr

from orchestration.config.partnerships import load_partnerships
from orchestration.config.settings import Settings, load_settings
from orchestration.dagster.partitions import quarters_tagged
from orchestration.dagster.run_launcher import marked_as_running
from orchestration.errors import BackfillError, WarehouseBusyError
from orchestration.ingest.landing.delivery_folder import remove_delivery
from orchestration.releases.release_registry import complete_rollback
from orchestration.warehouse.backup import REPAIRED, repair, utc_now
from orchestration.warehouse.connection import warehouse_lock
from orchestration.warehouse.control_schema import ensure_control
from orchestration.warehouse.lake_upkeep import remove_outdated
from orchestration.warehouse.permissions import restrict
from orchestration.warehouse.purging import settle_purges
from orchestration.warehouse.refresh_record import keep_left_state

STARTED_BY = "csp/started_by"
"""Tag of a run that a person started at a terminal. It stops at once instead of waiting."""

LOCKED = "csp/locked"
"""Tag of a run that ended before its first step, since somebody else was writing the warehouse."""

_MAX_RETRIES = "dagster/max_retries"
"""Dagster's own tag: how often a run that nobody watches is tried again."""

_RETRIES = 3
_RETRY_WAIT_SECONDS = 60


class CompletedQuarters:
    """The metadata of each complete quarter before the last one of a range."""

    def __init__(self) -> None:
        self._by_quarter: dict[date, dict[dg.AssetKey, dict[str, Any]]] = {}

    def complete(self, quarter: date, metadata: dict[dg.AssetKey, dict[str, Any]]) -> None:
        """Note that ``quarter`` is complete, with the metadata of each asset as at it."""
        self._by_quarter[quarter] = metadata

    @property
    def quarters(self) -> list[date]:
        """Quarters that are complete, oldest first."""
        return sorted(self._by_quarter)

    def add_to(self, context: dg.AssetExecutionContext, key: dg.AssetKey) -> None:
        """Give the earlier quarters' materializations of an asset their own metadata."""
        for quarter, metadata in self._by_quarter.items():
            if key in metadata:
                context.add_asset_metadata(metadata[key], key, quarter.isoformat())

    def require(self, quarters: Sequence[date]) -> None:
        """Raise :class:`BackfillError` where this run has not completed all of ``quarters``."""
        if missing := [one.isoformat() for one in quarters if one not in self._by_quarter]:
            raise BackfillError(
                f"This run has not built {', '.join(missing)}: a range is published only together "
                "with the steps before it. Launch all assets over the range (unchanged ones are "
                "not built again), or one quarter by itself."
            )


class WarehouseWriter(dg.ConfigurableResource[Any]):
    """The warehouse's settings, with its write lock held from a run's first step to its last.

    The executor is in-process, so Dagster sets this up once for a run.
    """

    _settings: Settings = PrivateAttr()
    _completed: CompletedQuarters = PrivateAttr(default_factory=CompletedQuarters)
    _ready: bool = PrivateAttr(default=False)

    @property
    def settings(self) -> Settings:
        """Settings read when the run began."""
        return self._settings

    @property
    def completed(self) -> CompletedQuarters:
        """What this run has completed of a range before its last quarter."""
        return self._completed

    def make_ready(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Have the control tables and the partnerships in the warehouse, once in a run.

        Contracts take towns and forms of numbers from the partnerships, messages the names that
        they have. Raises :class:`SettingsError` for a fault in the partnerships file.
        """
        if self._ready:
            return
        ensure_control(connection)
        load_partnerships(connection, self._settings.partnerships)
        self._ready = True

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["WarehouseWriter"]:
        """Hold the lock for as long as the run lasts; a run that nobody watches waits for it.

        A run that does not get the lock ends as cancelled: it has failed at nothing.
        A damaged warehouse is repaired first; a purge or rollback that was cut short is finished.
        """
        self._settings = load_settings()
        self._completed = CompletedQuarters()
        self._ready = False
        restrict(self._settings)
        watched = context.run is None or STARTED_BY in context.run.tags
        with _marked(context, watched), _locked(context, self._settings, watched):
            say, now = _teller(context), utc_now()
            repair(self._settings, say, now)
            settle_purges(self._settings, say, now.replace(tzinfo=None), remove_delivery)
            if rollback := complete_rollback(self._settings.published):
                say(f"The rollback to {rollback.quarter} was cut short. It was completed.")
            yield self
            if self._settings.on_lake:
                remove_outdated(self._settings)
            if context.run is not None:
                quarters = quarters_tagged(context.run.tags)
                keep_left_state(self._settings, quarters, context.run.run_id)


def _marked(context: dg.InitResourceContext, watched: bool) -> AbstractContextManager[None]:
    """Mark a run that nobody watches as running; what a person started is marked already."""
    if watched or context.run is None or context.instance is None:
        return nullcontext()
    return marked_as_running(context.instance, context.run.run_id)


@contextmanager
def _locked(context: dg.InitResourceContext, settings: Settings, watched: bool) -> Iterator[None]:
    """Hold the write lock, or end the run as cancelled where somebody else keeps it.

    Dagster shows every partition and check of a failed run as failed, also those that are published
    and that the run never came to. Those of a cancelled run stay as they are.
    """
    run = context.run
    what = f"Run {run.run_id[:8]}" if run else "A run"
    with ExitStack() as held:
        try:
            _wait_for_lock(context, settings, what, watched, held)
        except WarehouseBusyError as error:
            if run is None or context.instance is None:
                raise
            context.instance.add_run_tags(run.run_id, {LOCKED: "true"})
            context.instance.report_run_canceled(run, f"The run has not started. {error}")
            raise dg.DagsterExecutionInterruptedError from error
        yield


def _wait_for_lock(
    context: dg.InitResourceContext, settings: Settings, what: str, watched: bool, held: ExitStack
) -> None:
    """Take the lock into ``held``, and say in the run's log who keeps it meanwhile.

    Raises :class:`WarehouseBusyError` where it is not free in time. A run that is to be tried again
    waits as much longer instead, since Dagster tries no cancelled run again.
    """
    wait = settings.lock_wait_seconds
    if not watched and context.run is not None:
        tries = 1 + int(context.run.tags.get(_MAX_RETRIES, 0))
        wait = max(wait, settings.run_lock_wait_seconds * tries)
    try:
        held.enter_context(warehouse_lock(settings, what))
    except WarehouseBusyError as error:
        if not wait:
            raise
        if context.log:
            context.log.info(f"Waiting up to {wait:g} seconds. {error}")
        held.enter_context(warehouse_lock(settings, what, wait))


def _teller(context: dg.InitResourceContext) -> Callable[[str], None]:
    return lambda words: context.log.warning(f"{REPAIRED}{words}") if context.log else None


@contextmanager
def asking_again(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Have Dagster try a step again where somebody holds the warehouse open.

    Only this fault goes away by itself; every other one would come again. A run that a person
    started at a terminal stops at once instead.
    """
    try:
        yield
    except WarehouseBusyError as error:
        if STARTED_BY in context.run.tags:
            raise
        raise dg.RetryRequested(_RETRIES, _RETRY_WAIT_SECONDS) from error
