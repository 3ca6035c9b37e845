"""The lake's write lock: an advisory lock in PostgreSQL, which one session holds at a time.

It holds for every machine that writes the lake. PostgreSQL gives it back when the session ends,
however that ends, so a killed process leaves nothing to clean up.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestration.config.settings import Settings
from orchestration.errors import WarehouseBusyError
from orchestration.warehouse.lake import catalogue, lake_name

if TYPE_CHECKING:
    import psycopg

_LOCK = (0x435350, 1)
"""The two numbers of the lock: "CSP", and the lake as a whole."""

_LONGEST_NAME = 63
"""Bytes that PostgreSQL keeps of the name of a session."""

_DEAD_AFTER_SECONDS = 60
"""Silence after which PostgreSQL asks whether the machine at the other end still answers."""


@contextmanager
def lake_lock(settings: Settings, what: str, wait_seconds: float = 0) -> Iterator[None]:
    """Hold the right to write the lake; ``what`` tells others who has it.

    Waits up to ``wait_seconds``. Raises :class:`WarehouseBusyError` that names the holder, and
    :class:`LakeError` where PostgreSQL cannot be used.
    """
    deadline = time.monotonic() + wait_seconds
    with catalogue(settings, "csp waits") as session:
        session.execute(f"set tcp_keepalives_idle = {_DEAD_AFTER_SECONDS}")
        while not _acquired(session):
            if time.monotonic() >= deadline:
                raise WarehouseBusyError(
                    f"{_holder(session) or 'Another process'} is writing {lake_name(settings)}. "
                    "One writer at a time: wait until it has ended and try again, or set "
                    "CSP_LOCK_WAIT_SECONDS to wait for it."
                )
            time.sleep(0.2)
        session.execute("select set_config('application_name', %s, false)", [_shown(what)])
        yield


def lake_writer(settings: Settings) -> str | None:
    """Say who is writing the lake, or none where nobody is.

    Raises :class:`LakeError` where PostgreSQL cannot be used.
    """
    with catalogue(settings) as session:
        return _holder(session)


def _acquired(session: "psycopg.Connection") -> bool:
    ((acquired,),) = session.execute("select pg_try_advisory_lock(%s, %s)", _LOCK).fetchall()
    return bool(acquired)


def _holder(session: "psycopg.Connection") -> str | None:
    rows = session.execute(
        "select application_name, to_char(coalesce(state_change, backend_start) "
        "at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"') "
        "from pg_locks inner join pg_stat_activity using (pid) "
        "where locktype = 'advisory' and classid = %s and objid = %s and granted "
        "and database = (select oid from pg_database where datname = current_database())",
        _LOCK,
    ).fetchall()
    return next((f"{name} (since {since})" for name, since in rows), None)


def _shown(what: str) -> str:
    """Return the name of the session of a holder, within the bytes that PostgreSQL keeps."""
    place = f" (process {os.getpid()} on {socket.gethostname()})"
    return f"{what[: max(_LONGEST_NAME - len(place), 12)]}{place}"[:_LONGEST_NAME]
