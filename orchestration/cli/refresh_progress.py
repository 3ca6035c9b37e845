"""The progress of ``csp refresh``: bars that move on a terminal, one line a step elsewhere.

Dagster's compute log takes standard output and standard error of the process into files while a
run executes. The descriptor of the terminal is then a file, on which rich rightly moves nothing. So
the display writes to a copy of the descriptor that was made before the run.
"""

import io
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from orchestration.cli.console import new_console, styled
from orchestration.dagster.step_progress import PROGRESS_CHANNEL, PROGRESS_FIELD, BuildCounts
from orchestration.warehouse.backup import REPAIRED

_STEPS = {
    "in_force": "Choosing the deliveries in force",
    "marts": "Building the models",
    "control__disclosure": "Hiding small counts",
    "published__csp": "Publishing the release",
    "exports__partnerships": "Writing the exports",
}
_BAR_WIDTH = 18
_BAR_FROM_COLUMNS = 60
"""On a narrower terminal, words and numbers need the place."""


def step_words(step: str) -> str:
    """Return what a step of the refresh does, in plain words."""
    if step.startswith("raw__"):
        return f"Loading {step.removeprefix('raw__')}"
    return _STEPS.get(step, step.replace("__", " ").replace("_", " "))


@contextmanager
def refresh_progress(console: Console) -> Iterator["RefreshProgress"]:
    """Show the progress of a refresh where ``console`` prints, until the block ends."""
    with ExitStack() as open_files:
        copied = _copied(console, open_files)
        moves = copied.is_terminal and not copied.is_dumb_terminal
        shown = open_files.enter_context(_Bars(copied) if moves else _Lines(copied))
        handler = _Listener(shown)
        logger = logging.getLogger(PROGRESS_CHANNEL)
        logger.addHandler(handler)
        open_files.callback(logger.removeHandler, handler)
        yield shown


def _copied(console: Console, open_files: ExitStack) -> Console:
    """Return a console on a copy of the descriptor; the console itself where it has none."""
    try:
        descriptor = os.dup(console.file.fileno())
    except (OSError, io.UnsupportedOperation, AttributeError):
        return console
    console.file.flush()
    encoding = getattr(console.file, "encoding", None) or "utf-8"
    file = open_files.enter_context(os.fdopen(descriptor, "w", encoding=encoding, errors="replace"))
    shown = new_console(file=file)
    shown.quiet = console.quiet
    return shown


class RefreshProgress:
    """How far a refresh is. Shows nothing by itself: see the two kinds below."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._done = self._steps = 0

    def preparing(self) -> None:
        """Show that the dbt project and Dagster's records are made ready."""
        self._say("Preparing")

    def begin(self, steps: int) -> None:
        """Show that a run of ``steps`` steps begins."""
        self._steps = steps
        self._say("Starting the run")

    def step_begins(self, step: str) -> None:
        """Show that a step begins; ``step`` is its key in Dagster."""
        self._say(step_words(step))

    def step_ends(self) -> None:
        """Count a step that ended, however it did."""
        self._done += 1

    def doing(self, words: str) -> None:
        """Show what the present step does now."""

    def counted(self, counts: BuildCounts) -> None:
        """Show how far the models of the present step are."""

    def note(self, text: Text) -> None:
        """Print a line that stays."""
        self._console.print(text)

    def __enter__(self) -> "RefreshProgress":
        return self

    def __exit__(self, *_: object) -> None:
        """End the display."""

    def _say(self, words: str) -> None:
        raise NotImplementedError


class _Bars(RefreshProgress):
    """Bars on a terminal: steps done of all and, within the build, models and checks."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn(
                "{task.description}",
                markup=False,
                table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
            ),
            *([BarColumn(_BAR_WIDTH)] if console.width >= _BAR_FROM_COLUMNS else []),
            TextColumn("{task.fields[count]}", markup=False, justify="right",
                       table_column=Column(no_wrap=True)),
            TimeElapsedColumn(),
            console=console, transient=True, expand=True,
            # What other code prints belongs to the run's compute log.
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        self._steps_bar = self._progress.add_task("", total=None, count="")
        self._models_bar: TaskID | None = None
        self._checks_bar: TaskID | None = None

    def __enter__(self) -> "RefreshProgress":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def step_ends(self) -> None:
        super().step_ends()
        self._hide_counts()
        self._update()

    def doing(self, words: str) -> None:
        self._hide_counts()
        self._say(words)

    def counted(self, counts: BuildCounts) -> None:
        self._models_bar = self._bar(self._models_bar, "  Models", counts.models, counts.of_models)
        if counts.of_checks:
            bar = self._checks_bar
            self._checks_bar = self._bar(bar, "  Checks", counts.checks, counts.of_checks)

    def _bar(self, bar: TaskID | None, words: str, done: int, of: int) -> TaskID:
        if bar is None:
            bar = self._progress.add_task(words, total=None, count="")
        # Drawn at once: the last count would be gone before the next turn of the display.
        count = f"{done} of {of}"
        self._progress.update(bar, completed=done, total=of, count=count, refresh=True)
        return bar

    def _hide_counts(self) -> None:
        for bar in (self._models_bar, self._checks_bar):
            if bar is not None:
                self._progress.remove_task(bar)
        self._models_bar = self._checks_bar = None

    def _say(self, words: str) -> None:
        self._progress.update(self._steps_bar, description=words)
        self._update()
        self._progress.refresh()

    def _update(self) -> None:
        if self._steps:
            self._progress.update(
                self._steps_bar, completed=self._done, total=self._steps,
                count=f"{self._done} of {self._steps} steps",
            )  # fmt: skip


class _Lines(RefreshProgress):
    """Plain lines in a file or a pipe: one for each step that begins."""

    def begin(self, steps: int) -> None:
        self._steps = steps

    def doing(self, words: str) -> None:
        self._console.print(f"  {words}", soft_wrap=True)

    def counted(self, counts: BuildCounts) -> None:
        if (counts.models, counts.checks) == (counts.of_models, counts.of_checks):
            self.doing(str(counts))

    def _say(self, words: str) -> None:
        if self._steps:
            words = f"Step {self._done + 1} of {self._steps}: {words}"
        self._console.print(words, soft_wrap=True)


class _Listener(logging.Handler):
    """Hands a run's events to the display; see :mod:`orchestration.dagster.jobs`."""

    def __init__(self, shown: RefreshProgress) -> None:
        super().__init__()
        self._shown = shown

    def emit(self, record: logging.LogRecord) -> None:
        """Show what the record says of the run, if anything."""
        if progress := getattr(record, PROGRESS_FIELD, None):
            if progress.counts:
                self._shown.counted(progress.counts)
            else:
                self._shown.doing(progress.words)
            return
        said = str(getattr(record, "dagster_meta", {}).get("orig_message", ""))
        if said.startswith(REPAIRED):
            self._shown.note(styled("[yellow]{}[/]", said))
        event = getattr(record, "dagster_event", None)
        kind = getattr(event, "event_type_value", None)
        if event is not None and kind == "STEP_START":
            self._shown.step_begins(str(event.step_key))
        elif kind in {"STEP_SUCCESS", "STEP_FAILURE", "STEP_SKIPPED"}:
            self._shown.step_ends()
