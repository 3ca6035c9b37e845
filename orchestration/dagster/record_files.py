"""Dagster's SQLite files: damaged ones are set aside, so that Dagster makes new ones.

No figure depends on them. They are the record of runs, and the memory of schedule and sensors.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

_CHECKED_WHOLE = 64 << 20
"""Largest file of which every page is checked; of a larger one only the list of its tables."""


def set_aside_damaged(dagster_home: Path, stamp: str) -> list[Path]:
    """Rename every damaged database, with its log, to ``<name>.damaged-<stamp>``; return those.

    One that another program holds is left alone. Raises OSError where one cannot be renamed.
    """
    damaged = damaged_records(dagster_home)
    for file in damaged:
        for part in (file, *(file.with_name(f"{file.name}{end}") for end in ("-wal", "-shm"))):
            if part.exists():
                part.rename(part.with_name(f"{part.name}.damaged-{stamp}"))
    return damaged


def damaged_records(dagster_home: Path) -> list[Path]:
    """Return every damaged database; one that another program holds is not known to be."""
    return [file for file in _files(dagster_home) if not _is_sound(file)]


def _files(dagster_home: Path) -> Iterator[Path]:
    for place in (dagster_home / "history" / "runs.db", dagster_home / "schedules/schedules.db"):
        if place.exists():
            yield place
    yield from sorted((dagster_home / "history" / "runs").glob("*.db"))


def _is_sound(file: Path) -> bool:
    if not file.is_file() or not file.stat().st_size:
        return False
    query = "pragma quick_check(1)"
    if file.stat().st_size > _CHECKED_WHOLE:
        query = "select 'ok' from (select count(*) from sqlite_master)"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=rw", uri=True)) as connection:
            return bool(connection.execute(query).fetchall() == [("ok",)])
    except sqlite3.OperationalError as error:
        # Whether it may be opened at all is said when it is used.
        return "malformed" not in str(error) and "not a database" not in str(error)
    except sqlite3.DatabaseError:
        return False
