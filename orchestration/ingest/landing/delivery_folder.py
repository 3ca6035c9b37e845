"""Replaces a delivery's folder as a whole, and clears away or completes a killed landing.

A new delivery is built whole under ``.landing-…`` beside its place and synced. Then the earlier
version is kept under ``.superseded``, as links to its files. Then the two folders change places in
one step. So at every moment a whole delivery is in place, and a killed landing leaves only
``.landing-…`` folders, which the next landing or refresh removes.

Some file systems cannot exchange two folders. There the new folder waits under ``.ready/<quarter>``
while the earlier one is taken away, and a killed landing is completed from there.
"""

import filecmp
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

from orchestration.errors import LandingError
from orchestration.warehouse.atomic_file import sync
from orchestration.warehouse.exchange import exchange

SCRATCH = ".landing-"
SUPERSEDED = ".superseded"
READY = ".ready"
_LOCK = ".landing.lock"
_WAIT_SECONDS = 300.0


@contextmanager
def one_landing(folder: Path, wait_seconds: float = _WAIT_SECONDS) -> Iterator[None]:
    """Let one landing into a source's ``folder`` run at a time; the others wait.

    The lock is the system's, so a killed landing leaves nothing to clean up. Raises
    :class:`LandingError` after a long wait, and where the folder cannot be locked.
    """
    # Without a lock of the system there is none: a file as a lock would outlive a killed landing.
    lock = FileLock(folder / _LOCK, timeout=wait_seconds, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise LandingError(
            f"Another landing of {folder.name} has been running for {wait_seconds:.0f} seconds. "
            "Nothing was landed. Land the files again when it has ended."
        ) from error
    except OSError as error:
        raise LandingError(
            f"{folder / _LOCK} cannot be locked ({error.strerror}). Nothing was landed. Check the "
            "folder's permissions; if it is on a network drive, the drive must support file locks."
        ) from error
    try:
        yield
    finally:
        lock.release()


def put_in_place(built: Path, target: Path, superseded_as: str) -> None:
    """Put the complete folder ``built`` in the place of ``target``, if there is one.

    What is there is kept in ``.superseded`` under the name ``superseded_as``, with a number behind
    it where another version has that name. The caller holds the landing's lock. Raises OSError
    where nothing has changed, and :class:`LandingError` where the disk failed afterwards.
    """
    _sync_all(built)
    if not target.exists():
        built.replace(target)
    else:
        _keep(target, superseded_as)
        if not exchange(built, target):
            _replace_in_two_steps(built, target)
    try:
        sync(target.parent)
    except OSError as error:
        raise LandingError(
            f"{target} was landed, but the disk did not confirm it ({error.strerror}). Check the "
            "disk, and land the files again."
        ) from error
    # Only a second link to what is kept; the next landing removes it where this does not.
    shutil.rmtree(built, ignore_errors=True)


def _replace_in_two_steps(built: Path, target: Path) -> None:
    """Replace ``target``, which is kept already, where two folders cannot be exchanged."""
    ready = target.parent / READY / target.name
    ready.parent.mkdir(exist_ok=True)
    built.replace(ready)
    sync(ready.parent)
    target.replace(built)
    ready.replace(target)
    ready.parent.rmdir()


def _keep(target: Path, name: str) -> None:
    """Keep a version that is about to be replaced, beside those that were replaced before."""
    kept = target.parent / SUPERSEDED
    kept.mkdir(exist_ok=True)
    for number in count(1):
        place = kept / (name if number == 1 else f"{name}-{number}")
        if not place.exists():
            break
        if _same(target, place):
            return
    links = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=target.parent)) / place.name
    try:
        shutil.copytree(target, links, copy_function=_link)
        _sync_all(links)
        links.replace(place)
        sync(kept)
    finally:
        shutil.rmtree(links.parent, ignore_errors=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=True)
    except OSError:
        # Not every file system has hard links; a copy serves as well.
        shutil.copy2(source, target)


def _same(one: Path, other: Path) -> bool:
    """Say whether two folders hold the same files, the receipt included."""
    names = [_files(one), _files(other)]
    return names[0] == names[1] and all(
        (one / name).samefile(other / name) or filecmp.cmp(one / name, other / name, shallow=False)
        for name in names[0]
    )


def _files(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def _sync_all(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        sync(path)


def remove_delivery(folder: Path) -> None:
    """Delete a version of a delivery, in place or superseded; nothing is left of it half-way.

    Raises :class:`LandingError` where a landing of the source runs for long, and OSError where it
    cannot be deleted.
    """
    source = folder.parent.parent if folder.parent.name in (SUPERSEDED, READY) else folder.parent
    if not folder.exists():
        return
    with one_landing(source):
        leaving = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=source))
        folder.replace(leaving)
        sync(source)
        shutil.rmtree(leaving)
        for kept in (source / SUPERSEDED, source / READY):
            with suppress(OSError):
                kept.rmdir()


def recover_landings(folder: Path) -> list[str]:
    """Do what :func:`recover` does where a killed landing left something.

    Waits for a landing that runs only where a delivery may be waiting to be put in place. Where
    nothing was left it costs a look at the names in the folder.
    """
    waiting = (folder / READY).is_dir()
    if not waiting and not any(folder.glob(f"{SCRATCH}*")):
        return []
    try:
        with one_landing(folder, _WAIT_SECONDS if waiting else 0):
            return recover(folder)
    except LandingError:
        if waiting:
            raise
        # A landing that is running builds its delivery there.
        return []


def recover(folder: Path) -> list[str]:
    """Complete or undo the killed landings into a source's ``folder``; return what was done.

    A complete delivery is put in place if the old one was moved away; otherwise the old one stays.
    The caller makes sure that no other landing of the source runs.
    """
    said = []
    for new in sorted((folder / READY).glob("*")):
        target = folder / new.name
        if target.exists():
            shutil.rmtree(new)
            said.append(_UNDONE.format(folder=target))
        else:
            new.replace(target)
            said.append(_COMPLETED.format(folder=target))
    if (folder / READY).is_dir():
        with suppress(OSError):
            (folder / READY).rmdir()
        sync(folder)
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
