"""Puts a finished file in place in one step: synced, then renamed.

Renaming over a file that readers hold open is safe: they keep what they opened. A file must not be
renamed before its bytes are on disk, nor while a write-ahead log of another file is beside it.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SCRATCH_PREFIX = ".building-"
"""Start of the name of a folder or file that is being built. Readers skip names with a dot."""

READ_ONLY = 0o444
"""A published file is not to be written: a client that tried would lock the others out."""


@contextmanager
def scratch_folder(root: Path) -> Iterator[Path]:
    """Yield a new folder under ``root`` (so on its filesystem); remove it whatever happens.

    Leftovers of runs that were killed are removed first. The caller makes sure that nobody else
    is building under ``root``: the warehouse's writer lock does.
    """
    root.mkdir(parents=True, exist_ok=True)
    remove_leftovers(root)
    folder = Path(tempfile.mkdtemp(prefix=SCRATCH_PREFIX, dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers(root: Path) -> None:
    """Remove what killed runs left half-built directly under ``root``, as far as it can."""
    for leftover in root.glob(f"{SCRATCH_PREFIX}*"):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            with suppress(OSError):
                leftover.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Wait until the file or folder at ``path`` is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def place(file: Path, target: Path) -> None:
    """Rename ``file``, synced and read-only, to ``target`` in one step.

    Both are on one filesystem. A write-ahead log beside ``target`` belongs to another
    file and would make the new one unreadable, so it goes first.
    """
    file.chmod(READ_ONLY)
    sync(file)
    target.parent.mkdir(parents=True, exist_ok=True)
    log_beside(target).unlink(missing_ok=True)
    with suppress(OSError):
        # An empty folder in the file's place; no file is removed by this.
        target.rmdir()
    file.replace(target)
    sync(target.parent)


def place_copy(file: Path, target: Path) -> None:
    """Give ``target`` the content of ``file`` in one step, as the same file where links work."""
    twin = target.parent / f"{SCRATCH_PREFIX}{target.name}"
    twin.unlink(missing_ok=True)
    try:
        twin.hardlink_to(file)
    except OSError:
        # Not every filesystem has hard links; a copy serves readers as well.
        shutil.copyfile(file, twin)
    place(twin, target)
    # A rename between two links of one file does nothing and leaves the first: take it away.
    twin.unlink(missing_ok=True)


def log_beside(database: Path) -> Path:
    """Return where DuckDB would keep the write-ahead log of ``database``."""
    return database.with_name(f"{database.name}.wal")
