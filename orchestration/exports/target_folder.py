"""A folder that somebody names for an export: checked, closed to others, written as a whole."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from orchestration.exports.atomic_folder import swapped_in
from orchestration.exports.errors import TargetFolderError

_CLOSED_FOLDER, _CLOSED_FILE = 0o700, 0o600


def usable_target(target: Path, kept: Sequence[Path]) -> Path:
    """Return where the folder ``target`` really is.

    Raises :class:`TargetFolderError` where it is one of the folders ``kept`` or in one of them, by
    whatever name or link, or where something is there already that would be replaced.
    """
    try:
        real = target.expanduser().resolve()
    except (OSError, RuntimeError) as error:
        raise TargetFolderError(f"{target} cannot be used as a folder: {error}.") from error
    for folder in kept:
        if any(_is_same(one, folder) for one in (real, *real.parents)):
            raise TargetFolderError(
                f"{target} is in {folder}, which csp looks after itself. Name a folder elsewhere."
            )
    _refuse_occupied(real)
    return real


@contextmanager
def new_target(target: Path) -> Iterator[Path]:
    """Yield a folder that becomes ``target`` when the block succeeds, for its owner alone.

    Nothing is left of it where the block fails, or where somebody has put a file into ``target``
    meanwhile.
    """
    with swapped_in(target) as folder:
        folder.chmod(_CLOSED_FOLDER)
        yield folder
        for path in folder.rglob("*"):
            path.chmod(_CLOSED_FOLDER if path.is_dir() else _CLOSED_FILE)
        _refuse_occupied(target)


def _is_same(path: Path, folder: Path) -> bool:
    try:
        return path.samefile(folder)
    except OSError:
        return path == folder.resolve()


def _refuse_occupied(target: Path) -> None:
    if target.is_dir():
        if any(target.iterdir()):
            raise TargetFolderError(
                f"{target} holds files already, and csp export replaces none. Name a new or empty "
                "folder."
            )
    elif target.exists():
        raise TargetFolderError(f"{target} is a file. Name a new or empty folder.")
