"""Replaces a delivery's folder as a whole, and completes or undoes a killed landing.

A new delivery is built whole under ``.landing-…`` beside its place. From the rename into
``.ready/<quarter>`` on it is complete. Then the old folder moves to ``.superseded``, and the new
one replaces it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from orchestration.errors import LandingError

SCRATCH = ".landing-"
_READY = ".ready"
_SUPERSEDED = ".superseded"
_LOCK = ".landing.lock"
_WAIT_SECONDS = 300.0


@contextmanager
def one_landing(folder: Path, wait_seconds: float = _WAIT_SECONDS) -> Iterator[None]:
    """Let one landing into a source's ``folder`` run at a time; the others wait.

    The lock is the system's, so a killed landing leaves nothing to clean up. Raises
    :class:`LandingError` after a long wait.
    """
    lock = FileLock(folder / _LOCK, timeout=wait_seconds)
    try:
        lock.acquire()
    except Timeout as error:
        raise LandingError(
            f"Another landing of {folder.name} has been running for {wait_seconds:.0f} seconds. "
            "Nothing was landed. Land the files again when it has ended."
        ) from error
    try:
        yield
    finally:
        lock.release()


def put_in_place(built: Path, target: Path, superseded_as: str) -> None:
    """Put the complete folder ``built`` in the place of ``target``.

    What is there moves to ``.superseded`` under the name ``superseded_as``. A landing that is
    killed leaves the old delivery or the new one in place, or the new one for :func:`recover`.
    """
    _sync_all(built)
    ready = target.parent / _READY / target.name
    ready.parent.mkdir(exist_ok=True)
    built.replace(ready)
    if target.exists():
        _supersede(target, superseded_as)
    ready.replace(target)
    ready.parent.rmdir()
    _sync(target.parent)


def _supersede(target: Path, name: str) -> None:
    kept = target.parent / _SUPERSEDED
    kept.mkdir(exist_ok=True)
    if (kept / name).exists():
        # The same content had been superseded before.
        shutil.rmtree(kept / name)
    target.replace(kept / name)


def _sync_all(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        _sync(path)


def _sync(path: Path) -> None:
    """Wait until a file or folder is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def recover_landings(folder: Path) -> list[str]:
    """Do what :func:`recover` does where a killed landing left a delivery; wait for one that runs.

    Where nothing was left it costs a look at one name.
    """
    if not (folder / _READY).is_dir():
        return []
    with one_landing(folder):
        return recover(folder)


def recover(folder: Path) -> list[str]:
    """Complete or undo the killed landings into a source's ``folder``; return what was done.

    A complete delivery is put in place if the old one was moved away; otherwise the old one stays.
    The caller makes sure that no other landing of the source runs.
    """
    said = []
    for new in sorted((folder / _READY).glob("*")):
        target = folder / new.name
        if target.exists():
            shutil.rmtree(new)
            said.append(_UNDONE.format(folder=target))
        else:
            new.replace(target)
            said.append(_COMPLETED.format(folder=target))
    if (folder / _READY).is_dir():
        (folder / _READY).rmdir()
    for half in folder.glob(f"{SCRATCH}*"):
        shutil.rmtree(half, ignore_errors=True)
    return said


_COMPLETED = (
    "An earlier landing into {folder} was cut short. It has been completed: the delivery there is "
    "the one that was being landed."
)
_UNDONE = (
    "An earlier landing into {folder} was cut short. It has been undone: the delivery there is the "
    "one from before. Land those files again."
)
