"""``csp rollback``: makes an earlier release the current one."""

from datetime import UTC, date, datetime

from rich.console import Console

from orchestration.config.quarters import quarter_label
from orchestration.config.settings import Settings
from orchestration.releases.published_file import PUBLISHED_FILE
from orchestration.releases.release_registry import roll_back
from orchestration.warehouse.connection import warehouse_lock
from orchestration.warehouse.permissions import open_to_readers


def make_current(
    settings: Settings, quarter: date, build: str | None, reason: str, console: Console
) -> None:
    """Roll the current release back (or forward) to that of ``quarter``, and say what was done."""
    with warehouse_lock(settings, "A rollback", settings.lock_wait_seconds):
        chosen = roll_back(settings.published, quarter, build, reason, datetime.now(UTC))
        open_to_readers(settings.published)
    console.print(
        f"{settings.published / PUBLISHED_FILE} is now the release of "
        f"{quarter_label(chosen.quarter)} ({chosen.quarter}), build {chosen.build}. Readers see it "
        "when they reconnect."
    )
