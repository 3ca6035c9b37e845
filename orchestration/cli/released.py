"""``csp releases`` and ``csp rollback``."""

from datetime import UTC, date, datetime

from rich.console import Console
from rich.table import Column, Table

from orchestration.access import open_to_readers
from orchestration.publish.database import PUBLISHED_FILE
from orchestration.publish.errors import ReleaseUnreadableError
from orchestration.publish.standing import (
    StandingRelease,
    list_releases,
    read_release,
    read_rollback,
    roll_back,
)
from orchestration.quarters import quarter_label
from orchestration.settings import Settings
from orchestration.warehouse import writer_lock


def show_releases(settings: Settings, console: Console) -> None:
    """Print every release that stands or was superseded, and the rollback in force."""
    releases = list_releases(settings.published)
    if not releases:
        console.print("Nothing is published yet: `csp refresh` publishes.")
        return
    current = _current(settings)
    table = Table(
        "Quarter", Column("Build", no_wrap=True), "Built (UTC)", "Schema", "Synthetic", "State"
    )
    for release in releases:
        is_current = current is not None and release.identity == current.identity
        states = ["current"] if is_current else []
        states += ["superseded"] if release.superseded else []
        table.add_row(
            f"{quarter_label(release.quarter)} ({release.quarter})",
            release.build,
            f"{release.built_at:%Y-%m-%d %H:%M}",
            str(release.schema_version),
            "yes" if release.synthetic else "no",
            ", ".join(states),
        )
    console.print(table)
    if rollback := read_rollback(settings.published):
        console.print(
            f"Rolled back on {rollback.at:%Y-%m-%d %H:%M} to {quarter_label(rollback.quarter)} "
            f"({rollback.reason}). It holds until a release is published that differs from the "
            f"{quarter_label(rollback.instead_of_quarter)} that was rolled back; "
            f"`csp rollback {releases[0].quarter} --reason ...` ends it.",
        )


def make_current(
    settings: Settings, quarter: date, build: str | None, reason: str, console: Console
) -> None:
    """Roll the current release back (or forward) to that of ``quarter``, and say what was done."""
    with writer_lock(settings.home, "A rollback", settings.lock_wait_seconds):
        chosen = roll_back(settings.published, quarter, build, reason, datetime.now(UTC))
        open_to_readers(settings.published)
    console.print(
        f"{settings.published / PUBLISHED_FILE} is now the release of "
        f"{quarter_label(chosen.quarter)} ({chosen.quarter}), build {chosen.build}. Readers see it "
        "when they connect anew."
    )


def _current(settings: Settings) -> StandingRelease | None:
    try:
        return read_release(settings.published / PUBLISHED_FILE)
    except ReleaseUnreadableError:
        return None
