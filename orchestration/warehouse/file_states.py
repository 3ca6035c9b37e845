"""What the file system says of files, as one digest: it differs once any of them was changed.

Size and time of modification are not enough, since a program that copies sets the time as it likes.
The time of the last change of the file's record (``ctime``) is the system's own.
"""

import hashlib
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FileStates:
    """The digest of the states of files, how many there are, and the newest change (ns)."""

    digest: str
    files: int
    newest_ns: int


def file_states(places: Iterable[Path], left_out: Collection[str] = ()) -> FileStates:
    """Return the states of the files and of all in the folders ``places``.

    Entries named in ``left_out`` are passed over, in every folder. A place that is missing counts
    as such. A link counts as itself and as what it leads to. Raises OSError where a folder cannot
    be listed.
    """
    digest, files, newest = hashlib.sha256(), 0, 0
    for place in places:
        for line, changed_ns, is_file in _states(place, left_out, ()):
            digest.update(line.encode("utf-8", "surrogateescape"))
            files += is_file
            newest = max(newest, changed_ns)
    return FileStates(digest.hexdigest(), files, newest)


def _states(
    path: Path, left_out: Collection[str], above: tuple[tuple[int, int], ...]
) -> Iterator[tuple[str, int, bool]]:
    """Yield a line on ``path`` and on all in it, when that changed, and whether it is a file.

    ``above`` has the folders that ``path`` lies in: a link into one of them is not followed.
    """
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            yield f"{path}\0leads to\0{path.readlink()}\n", found.st_ctime_ns, False
            found = path.stat()
    except FileNotFoundError:
        yield f"{path}\0missing\n", 0, False
        return
    identity = (found.st_dev, found.st_ino)
    if not stat.S_ISDIR(found.st_mode):
        changed = f"{found.st_size}\0{found.st_mtime_ns}\0{found.st_ctime_ns}"
        yield f"{path}\0{found.st_mode}\0{identity}\0{changed}\n", found.st_ctime_ns, True
        return
    yield f"{path}\0{found.st_mode}\0{identity}\n", 0, False
    if identity not in above:
        for inner in sorted(path.iterdir()):
            if inner.name not in left_out:
                yield from _states(inner, left_out, (*above, identity))
