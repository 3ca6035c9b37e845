"""The files in a folder of the landing zone, and what else lies there.

A pipe or a device would stop whoever opens it, and a link may lead to any file of the machine: none
is ever opened. A link to a file within the landing zone counts as that file.
"""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestration.errors import LandingError
from orchestration.ingest.checking.shown_texts import shown_path

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
    stat.S_IFREG: "a file",
}


@dataclass(frozen=True)
class Entry:
    """One entry below a folder: its path within it, and what it is if not a file."""

    name: str
    path: Path
    odd: str | None = None


def entries(folder: Path) -> Iterator[Entry]:
    """Yield the files below a delivery's folder, and what is none; nothing where there is none.

    The folder is ``<landing zone>/<source>/<quarter>``. One that is itself a link, or no folder,
    is the only entry. Raises :class:`LandingError` where a folder cannot be read: it is not an
    empty one.
    """
    kind = _kind(folder)
    if kind is None:
        return
    if not stat.S_ISDIR(kind):
        yield Entry(folder.name, folder, said(kind))
        return
    zone = folder.parents[1].resolve()
    for root, folders, names in os.walk(folder, onerror=_refuse_closed):
        for path in (Path(root) / name for name in (*folders, *names)):
            kind = _kind(path)
            if kind is not None and not stat.S_ISDIR(kind):
                name = path.relative_to(folder).as_posix()
                yield Entry(name, path, _odd(path, kind, zone))


def _kind(path: Path) -> int | None:
    """Return the type of an entry, not of what it leads to; None where it has gone."""
    try:
        return stat.S_IFMT(path.lstat().st_mode)
    except FileNotFoundError:
        return None


def said(kind: int) -> str:
    """Return the words for a type of entry (``stat.S_IFMT``)."""
    return _KINDS.get(kind, "a link")


def _odd(path: Path, kind: int, zone: Path) -> str | None:
    if stat.S_ISREG(kind):
        return None
    if not stat.S_ISLNK(kind):
        return said(kind)
    try:
        target = path.resolve(strict=True)
        kind = stat.S_IFMT(target.lstat().st_mode)
    except (OSError, RuntimeError):  # what it names is not there, or is the link itself
        return "a link to nothing"
    if not target.is_relative_to(zone):
        return "a link that leads out of the landing zone"
    return None if stat.S_ISREG(kind) else f"a link to {said(kind)}"


def read_regular(path: Path, most: int) -> bytes:
    """Return the content of a file that is no link, pipe or device, and of at most ``most`` bytes.

    Raises OSError otherwise, without waiting for anybody to write into a pipe.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as stream:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, f"it is {said(stat.S_IFMT(state.st_mode))}", str(path))
        content = stream.read(most + 1)
        if len(content) > most:
            raise OSError(errno.EFBIG, f"it is larger than {most >> 20} megabytes", str(path))
        return content


def refuse_special(path: Path, mode: int) -> None:
    """Raise OSError where a path, or what it leads to, is no regular file; ``mode`` is its mode."""
    kind = stat.S_IFMT(mode)
    if not stat.S_ISREG(kind):
        raise OSError(errno.EINVAL, f"it is {said(kind)}, not a file", str(path))


def _refuse_closed(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise unreadable(error) from error


def unreadable(error: OSError) -> LandingError:
    """Return the error of a file or folder of the landing zone that cannot be read."""
    return LandingError(
        f"{shown_path(error.filename)} cannot be read ({error.strerror}). Check its permissions."
    )
