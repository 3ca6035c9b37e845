"""Temporary folders of the program: under its home, closed to others, never anywhere else."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from orchestration.config.settings import Settings
from orchestration.warehouse.connection import unwritable

_SCRATCH = ".scratch-"
_LEFT_SECONDS = 24 * 3600
"""Age at which a folder has been left by a killed program, for no check takes a day."""

EngineConfig = dict[str, str | bool | int | float | list[str]]


@contextmanager
def scratch_under(home: Path) -> Iterator[Path]:
    """Make a folder under ``home``, which is made where it is missing; take it away afterwards.

    Takes away what a killed program left there too. Raises :class:`StorageError` where it cannot be
    written.
    """
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o711)
        _sweep(home)
        folder = tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=home)
    except OSError as error:
        raise unwritable(home, error.strerror or str(error)) from error
    with folder as name:
        yield Path(name)


def _sweep(home: Path) -> None:
    for left in home.glob(f"{_SCRATCH}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _LEFT_SECONDS:
                shutil.rmtree(left, ignore_errors=True)


def engine_config(settings: Settings | None, spill: Path) -> EngineConfig:
    """Return how DuckDB is opened: within the settings' memory, and spilling into ``spill``."""
    config: EngineConfig = {"temp_directory": str(spill)}
    if settings:
        config |= {"memory_limit": settings.engine_memory, "threads": settings.threads}
    return config
