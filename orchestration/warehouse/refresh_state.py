"""The state of all that a refresh reads, and of all that it leaves.

Two refreshes of a quarter between which neither changed give the same. Only the file system, the
settings, the packages and the number of a lake's newest snapshot are looked at: no warehouse is
opened for it, and nothing is run.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr

from orchestration.config.settings import PROJECT, Settings
from orchestration.warehouse.file_states import FileStates, file_states
from orchestration.warehouse.lake import lake_state

KEPT = "last_refresh"
"""Folder of the home that has what the last refresh kept of these states."""

_WRITTEN_BY_DBT = frozenset({"target", "logs", ".user.yml"})
_WRITTEN_BY_PYTHON = frozenset({"__pycache__"})
_NOT_LEFT = frozenset(
    {KEPT, "backups", "bench", "coverage", "dagster", "docs", "exports", "feeds", "sqlfluff"}
    | {"warehouse.lock"}
)
"""Of the home, what no refresh leaves. The exports count by quarter."""

_CLOCK_TICK_NS = 20_000_000
"""Two changes that lie closer together may bear the same time."""


class ReadState(BaseModel):
    """All that a refresh reads: digests of the landing zone and of the rest, the number of files
    in the landing zone, and when the program was changed last."""

    model_config = ConfigDict(frozen=True)

    landed: str
    landed_files: int
    rest: str
    program_changed_ns: int


class LeftState(BaseModel):
    """All that the run ``run_id`` left: a digest, and the number of files."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    digest: str
    files: int


def read_state(settings: Settings) -> ReadState:
    """Return the state of landing zone, texts, partnerships, corrections, settings, program and
    packages. Raises OSError where one of them cannot be looked at."""
    landed = file_states([settings.raw])
    program = file_states(_program(), _WRITTEN_BY_PYTHON)
    rest = [
        file_states([settings.texts_folder, settings.partnerships, settings.corrections]).digest,
        program.digest,
        file_states(_packages()).digest,
        json.dumps([sys.version, sys.executable, _values(settings), _environment()]),
    ]
    return ReadState(
        landed=landed.digest,
        landed_files=landed.files,
        rest=hashlib.sha256("\n".join(rest).encode()).hexdigest(),
        program_changed_ns=program.newest_ns,
    )


def left_state(settings: Settings, quarters: Sequence[date], run_id: str) -> LeftState:
    """Return the state of warehouse, releases, reports for suppliers, dbt's parsed project, and
    the exports of ``quarters``. Raises OSError where one of them cannot be looked at, and
    :class:`LakeError` where PostgreSQL cannot be used."""
    left = _left(settings, quarters)
    lake = lake_state(settings) if settings.on_lake and settings.has_lake else None
    digest = f"{left.digest} snapshot {lake.snapshot}" if lake else left.digest
    return LeftState(run_id=run_id, digest=digest, files=left.files)


def settled_left_state(settings: Settings, quarters: Sequence[date], run_id: str) -> LeftState:
    """Return :func:`left_state`, once a further change of a file would bear another time."""
    since = time.time_ns() - _left(settings, quarters).newest_ns
    if 0 <= since < _CLOCK_TICK_NS:
        time.sleep((_CLOCK_TICK_NS - since) / 1e9)
    return left_state(settings, quarters, run_id)


def _left(settings: Settings, quarters: Sequence[date]) -> FileStates:
    kept = [path for path in sorted(settings.home.iterdir()) if path.name not in _NOT_LEFT]
    exports = [settings.exports / quarter.isoformat() for quarter in quarters]
    return file_states([*kept, *exports, settings.dagster_home / "dagster.yaml"])


def _program() -> Iterator[Path]:
    yield PROJECT / "orchestration"
    for path in sorted((PROJECT / "dbt_project").iterdir()):
        if path.name not in _WRITTEN_BY_DBT:
            yield path


def _packages() -> Iterator[Path]:
    """Yield the folder of each installed package's metadata, which an installation makes anew."""
    for folder in map(Path, sys.path):
        if folder.is_dir():
            yield from sorted(folder.glob("*.dist-info/RECORD"))


def _values(settings: Settings) -> dict[str, str]:
    """Return every setting as text, a key as its digest, and of other secrets whether there is one:
    no refresh reads them."""
    names = ("warehouse_key", "pseudonym_key", "lake_catalogue")
    keys = {name: getattr(settings, name) for name in names}
    return {
        **{name: str(value) for name, value in settings},
        **{name: _digest_of(key) for name, key in keys.items() if key},
    }


def _digest_of(key: SecretStr) -> str:
    return hashlib.sha256(key.get_secret_value().encode()).hexdigest()


def _environment() -> dict[str, str]:
    """Return what else of the environment reaches dbt, and how days and texts are read."""
    names = [name for name in os.environ if name.startswith("DBT_") or name in {"TZ", "LC_ALL"}]
    return {name: os.environ[name] for name in sorted(names)}
