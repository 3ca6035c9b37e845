"""``csp restore``: replaces the restricted warehouse with a backup."""

from pathlib import Path

from rich.console import Console

from orchestration.config.settings import Settings
from orchestration.warehouse.backup import restore, summary, utc_now
from orchestration.warehouse.purging import purged_again


def restore_backup(settings: Settings, file: Path, console: Console) -> None:
    """Verify the backup ``file`` and put it in the warehouse's place.

    Raises what :func:`~orchestration.warehouse.backup.restore` does.
    """
    manifest, aside, purged = restore(settings, file, utc_now())
    console.print(f"Restored and verified: {summary(file, manifest)}.", soft_wrap=True)
    if purged:
        console.print(purged_again(purged))
    if aside:
        console.print(f"The earlier warehouse is kept as {aside}. Delete it when it is not needed.")
    console.print("`csp refresh` loads what has landed since.")
