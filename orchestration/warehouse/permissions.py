"""File permissions under ``CSP_HOME``: outputs for everybody, the restricted side for its owner.

The home itself may be passed through (not listed) by others: readers of ``published/`` and
``exports/`` have to get there, and nothing else in it lets them in.
"""

import os
from pathlib import Path

from orchestration.config.settings import Settings
from orchestration.errors import SettingsError

_OWNER_ONLY = 0o077
_PASS_THROUGH, _CLOSED_FOLDER, _CLOSED_FILE = 0o711, 0o700, 0o600
_OPEN_FOLDER, _OPEN_FILE = 0o755, 0o444


def close_new_files() -> None:
    """Have this process make files and folders that only their owner can open."""
    os.umask(_OWNER_ONLY)


def restrict(settings: Settings) -> None:
    """Close what is restricted to all but its owner, and have this process make nothing else.

    Makes the home where it is missing. What was open before (an earlier version, a copied folder)
    is closed too. Raises :class:`SettingsError` where the home is another user's, or no folder
    that can be used.
    """
    close_new_files()
    outputs = {settings.published, settings.exports}
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        _give(settings.home, _PASS_THROUGH)
        for path in settings.home.iterdir():
            if path not in outputs and not path.is_symlink():
                _give(path, _CLOSED_FOLDER if path.is_dir() else _CLOSED_FILE)
    except PermissionError as error:
        raise SettingsError(
            f"{error.filename} belongs to another user, so it cannot be closed to others. Run csp "
            "as its owner, or name a folder of your own by CSP_HOME."
        ) from error
    except OSError as error:
        raise SettingsError(
            f"CSP_HOME cannot be used: {error.filename}: {error.strerror}. Make room there, or "
            "name another folder by CSP_HOME."
        ) from error


def open_to_readers(folder: Path) -> None:
    """Let everybody read what lies in an output folder, except what is being built in it."""
    for path in [folder, *folder.rglob("*")]:
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        if path.is_dir():
            _give(path, _OPEN_FOLDER)
        else:
            _give(path, path.stat().st_mode & 0o777 | _OPEN_FILE)


def _give(path: Path, mode: int) -> None:
    if path.stat().st_mode & 0o777 != mode:
        path.chmod(mode)
