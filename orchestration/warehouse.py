"""The restricted database: how it is opened, and who may write it.

DuckDB lets one process write or many read. The writer's lock is a file beside the database, held
for a whole run (not for a step), so that two runs can never interleave, whoever started them.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from pydantic import SecretStr

from orchestration.encryption import attach_encrypted, refuse_without_key
from orchestration.errors import WarehouseBusyError, WarehouseUnreadableError
from orchestration.settings import Settings

CATALOGUE = "warehouse"
"""Name of the database in SQL, which DuckDB takes from its file's name."""

_Config = dict[str, str | bool | int | float | list[str]]


@contextmanager
def writer_lock(home: Path, what: str, wait_seconds: float = 0) -> Iterator[None]:
    """Hold the right to write the warehouse under ``home``; ``what`` tells others who has it.

    Waits up to ``wait_seconds``. Raises :class:`WarehouseBusyError` that names the holder. The
    lock belongs to the open file, so a killed process leaves nothing to clean up.
    """
    home.mkdir(parents=True, exist_ok=True)
    path = home / "warehouse.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _acquire(handle, path, time.monotonic() + wait_seconds)
        holder = {"pid": os.getpid(), "since": datetime.now(UTC).isoformat("T", "seconds")}
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"what": what, **holder}).encode(), 0)
        yield
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _acquire(handle: int, path: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise WarehouseBusyError(_busy_message(path)) from error
            time.sleep(0.2)
        else:
            return


def _busy_message(path: Path) -> str:
    try:
        holder = json.loads(path.read_text() or "{}")
    except (OSError, ValueError):
        holder = {}
    who = (
        f"{holder['what']} (process {holder['pid']}, since {holder['since']})"
        if {"what", "pid", "since"} <= holder.keys()
        else "Another process"
    )
    return (
        f"{who} is writing the warehouse. One writer at a time: wait until it has ended and try "
        "again, or set CSP_LOCK_WAIT_SECONDS to wait for it."
    )


@contextmanager
def connect(settings: Settings, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse, and close it whatever happens.

    Raises :class:`WarehouseBusyError` where another process holds the file, and
    :class:`WarehouseUnreadableError` where the file is missing (read-only) or damaged, and
    :class:`EncryptionError` where its key is missing or wrong.
    """
    if read_only and not settings.warehouse.exists():
        raise WarehouseUnreadableError(
            f"There is no warehouse at {settings.warehouse} yet. Run `csp refresh` first."
        )
    settings.home.mkdir(parents=True, exist_ok=True)
    connection = _open(settings, read_only)
    try:
        yield connection
    finally:
        connection.close()


def _open(settings: Settings, read_only: bool) -> duckdb.DuckDBPyConnection:
    config: _Config = {
        "memory_limit": settings.memory_limit,
        "threads": settings.threads,
        "temp_directory": str(settings.home / "warehouse.tmp"),
        # A fifth faster to load than the oldest format, and readable by every 1.5 and 2 engine.
        "storage_compatibility_version": "v1.5.0",
    }
    try:
        if settings.warehouse_key:
            return _open_encrypted(settings, settings.warehouse_key, read_only, config)
        return duckdb.connect(settings.warehouse, read_only=read_only, config=config)
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise WarehouseBusyError(
                f"{settings.warehouse} is open in another program (a SQL client, perhaps). "
                "Close it there and try again. To query while refreshes run, open the published "
                f"database instead: {settings.published / 'csp.duckdb'}"
            ) from error
        raise WarehouseUnreadableError(
            f"{settings.warehouse} cannot be read; it may be damaged. The published releases are "
            "not affected. Move it away and run `csp refresh`: it is rebuilt from the landing "
            f"zone. (The engine says: {str(error).splitlines()[0]})"
        ) from error
    except duckdb.Error as error:
        refuse_without_key(error, settings.warehouse)
        raise WarehouseUnreadableError(
            f"{settings.warehouse} cannot be opened: {str(error).splitlines()[0]}"
        ) from error


def _open_encrypted(
    settings: Settings, key: SecretStr, read_only: bool, config: _Config
) -> duckdb.DuckDBPyConnection:
    """Open the warehouse as a database of its own name beside an empty one in memory."""
    connection = duckdb.connect(":memory:", config=config)
    try:
        attach_encrypted(
            connection, settings.warehouse, CATALOGUE, key.get_secret_value(), read_only=read_only
        )
    except BaseException:
        connection.close()
        raise
    connection.execute(f"use {CATALOGUE}")
    return connection
