"""What the assets share: the settings, and the right to write the warehouse for a whole run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from orchestration.access import restrict
from orchestration.settings import Settings, load_settings
from orchestration.warehouse import writer_lock


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
        """Hold the lock for as long as the run lasts."""
        self._settings = load_settings()
        restrict(self._settings)
        run = f"Run {context.run_id[:8]}" if context.run_id else "A run"
        with writer_lock(self._settings.home, run, self._settings.lock_wait_seconds):
            yield self
