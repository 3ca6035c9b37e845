"""``csp backup``: a verified copy of the restricted warehouse."""

from pathlib import Path

from rich.console import Console

from orchestration.config.settings import Settings
from orchestration.warehouse.backup import back_up, prune, summary, utc_now


def make_backup(settings: Settings, file: Path | None, keep: int | None, console: Console) -> None:
    """Copy the warehouse to ``file`` (a new one if none), and delete all but the newest ``keep``.

    Raises what :func:`~orchestration.warehouse.backup.back_up` does.
    """
    made, manifest = back_up(settings, file, utc_now())
    console.print(f"Backed up and verified: {summary(made, manifest)}.", soft_wrap=True)
    for old in prune(settings, keep) if keep else []:
        console.print(f"Deleted: {old}.", soft_wrap=True)
