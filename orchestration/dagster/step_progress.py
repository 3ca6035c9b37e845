"""What a step is doing while it runs: for the run's log in the UI, and for ``csp refresh``.

dbt reports each model when it is built. The command line's display gets every report at once. The
run's log, which is stored, gets one line every ten seconds.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Any, Protocol

from orchestration.config.quarters import quarter_label

PROGRESS_CHANNEL = "csp.progress"
"""Name of the logger to which a run's events and its progress go."""

PROGRESS_FIELD = "csp_progress"
"""Field of a log record that holds a :class:`StepProgress`."""

_LOGGED_SECONDS = 10.0


@dataclass(frozen=True)
class BuildCounts:
    """How far a dbt build has come: models (seeds are among them) and checks, done of all."""

    models: int
    of_models: int
    checks: int = 0
    of_checks: int = 0

    def __str__(self) -> str:
        return (
            f"{self.models} of {self.of_models} models built, "
            f"{self.checks} of {self.of_checks} checks made"
        )


@dataclass(frozen=True)
class StepProgress:
    """What a step is doing; ``counts`` where it is a dbt build."""

    words: str
    counts: BuildCounts | None = None


class Report(Protocol):
    """Takes what is built so far; ``logged`` says that the run's log gets it as well."""

    def __call__(self, counts: BuildCounts, *, logged: bool) -> None:
        """Report ``counts``."""


class StepLog:
    """Reports what a step does for one quarter."""

    def __init__(self, info: Callable[[str], None], quarter: date, place: str = "") -> None:
        """``info`` writes to the run's log; ``place`` says which quarter of a range it is."""
        self._info = info
        self._label = f"{quarter_label(quarter)}{f' ({place})' if place else ''}"

    def say(self, words: str) -> None:
        """Report what the step does now, such as "publishing the release"."""
        said = f"{self._label}: {words}"
        self._info(said)
        _show(StepProgress(said))

    def building(self, models: int) -> "BuildWatch":
        """Report that ``models`` models are built now; return what counts them."""
        self.say(f"building {models} models")
        self._counted(BuildCounts(0, models), logged=False)
        return BuildWatch(models, self._counted)

    def _counted(self, counts: BuildCounts, *, logged: bool) -> None:
        if logged:
            self._info(f"{self._label}: {counts}")
        _show(StepProgress(f"{self._label}: building {counts.of_models} models", counts))


class BuildWatch:
    """Counts what dbt has done, from its events as they happen."""

    def __init__(self, models: int, report: Report) -> None:
        """``report`` gets each count of a build of so many ``models``."""
        self._counts = BuildCounts(0, models)
        self._report = report
        self._logged_at = time.monotonic()
        # dbt reports from each of its threads.
        self._lock = Lock()

    def heard(self, event: Mapping[str, Any]) -> None:
        """Count the model or check whose result ``event`` is (an event of dbt as a mapping)."""
        data = event["data"]
        kind = data["node_info"]["resource_type"]
        # dbt's own total is of models and checks; its events of checks give it another name.
        total = int(data.get("total") or data.get("num_models") or 0)
        with self._lock:
            now = self._counts
            self._counts = BuildCounts(
                now.models + (kind in {"model", "seed"}),
                now.of_models,
                now.checks + (kind == "test"),
                max(total - now.of_models, now.of_checks),
            )
            self._report(self._counts, logged=self._is_logged())

    def _is_logged(self) -> bool:
        """Say whether a line is due in the run's log: every ten seconds, and at the end."""
        counts, now = self._counts, time.monotonic()
        ended = (counts.models, counts.checks) == (counts.of_models, counts.of_checks)
        if not ended and now - self._logged_at < _LOGGED_SECONDS:
            return False
        self._logged_at = now
        return True


def _show(progress: StepProgress) -> None:
    """Hand progress to the display of ``csp refresh``, where one listens in this process."""
    logging.getLogger(PROGRESS_CHANNEL).info(progress.words, extra={PROGRESS_FIELD: progress})
