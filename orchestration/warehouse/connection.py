"""The restricted database: how it is opened, and who may write it.

It is a DuckDB file, or a lake (``CSP_STORE``): both have one name and the same SQL. DuckDB lets one
process write a file or many read it. The writer's lock is a file beside the database, and a lock in
PostgreSQL where it is a lake. It is held for a whole run (not for a step), so that two runs can
never interleave, whoever started them.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb
from pydantic import SecretStr

from orchestration.config.settings import Settings
from orchestration.errors import (
    StorageError,
    WarehouseBusyError,
    WarehouseDamagedError,
    WarehouseUnreadableError,
)
from orchestration.warehouse.encryption import attach_encrypted, refuse_without_key
from orchestration.warehouse.lake import attach_lake, data_path, lake_fault, lake_name, lake_state
from orchestration.warehouse.lake_lock import lake_lock, lake_writer
from orchestration.warehouse.progress_bar import without_progress_bar
from orchestration.warehouse.sql_quoting import literal

CATALOGUE = "warehouse"
"""Name of the database in SQL, which DuckDB takes from its file's name."""

_WRITTEN_AS = "storage_version 'v1.5.0', row_group_size 61440"
"""How a restricted database is written.

The format is a fifth faster to load than the oldest one, and readable by DuckDB 1.5 and 2.
Groups of half the usual size hold most files of a force's month whole. With the usual size DuckDB
gathers several files and appends their rows a second time.
"""

AttachLake = Callable[..., None]
"""Attaches the lake to a ``connection`` as ``alias``."""

_Config = dict[str, str | bool | int | float | list[str]]


def warehouse_exists(settings: Settings) -> bool:
    """Say whether there is a warehouse. Raises :class:`LakeError` where PostgreSQL does not say."""
    return lake_state(settings) is not None if settings.on_lake else settings.warehouse.exists()


def warehouse_name(settings: Settings) -> str:
    """Return how messages name the warehouse: its file, or the lake."""
    return lake_name(settings) if settings.on_lake else str(settings.warehouse)


def no_warehouse(settings: Settings) -> WarehouseUnreadableError:
    """Return the error of a warehouse that is not there yet."""
    place = "in" if settings.on_lake else "at"
    return WarehouseUnreadableError(
        f"There is no warehouse {place} {warehouse_name(settings)} yet. Run `csp refresh` first."
    )


@contextmanager
def warehouse_lock(settings: Settings, what: str, wait_seconds: float = 0) -> Iterator[None]:
    """Hold the right to write the warehouse: the lock of the home, and that of the lake.

    As :func:`writer_lock`; also raises :class:`LakeError` where PostgreSQL cannot be used.
    """
    of_lake = lake_lock(settings, what, wait_seconds) if settings.on_lake else nullcontext()
    with writer_lock(settings.home, what, wait_seconds), of_lake:
        yield


def warehouse_writer(settings: Settings) -> str | None:
    """Say who is writing the warehouse, or none where nobody is.

    Raises :class:`StorageError` or :class:`LakeError` where the lock cannot be looked at.
    """
    writer = writer_of(settings.home)
    return lake_writer(settings) if writer is None and settings.on_lake else writer


@contextmanager
def writer_lock(home: Path, what: str, wait_seconds: float = 0) -> Iterator[None]:
    """Hold the right to write the warehouse under ``home``; ``what`` tells others who has it.

    Waits up to ``wait_seconds``. Raises :class:`WarehouseBusyError` that names the holder. The
    lock belongs to the open file, so a killed process leaves nothing to clean up.
    """
    path = home / "warehouse.lock"
    try:
        home.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unwritable(path, error.strerror or str(error)) from error
    try:
        _acquire(handle, path, time.monotonic() + wait_seconds)
        holder = {"pid": os.getpid(), "since": datetime.now(UTC).isoformat("T", "seconds")}
        # Who has it is for others to read; a full disk must not stop a run for that.
        with suppress(OSError):
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
        except OSError as error:
            raise unlockable(path, error) from error
        else:
            return


def unlockable(path: Path, error: OSError) -> StorageError:
    """Return the error of a file that the system cannot lock, as on some network drives."""
    return StorageError(
        f"{path} cannot be locked ({error.strerror}). Without a lock two runs could write at once. "
        "Put CSP_HOME on a local disk, or on a drive that supports file locks."
    )


def writer_of(home: Path) -> str | None:
    """Say who is writing the warehouse under ``home``, or None where nobody is.

    Raises :class:`StorageError` where the lock cannot be looked at.
    """
    path = home / "warehouse.lock"
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unlockable(path, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(path)
    except OSError as error:
        raise unlockable(path, error) from error
    else:
        return None
    finally:
        os.close(handle)


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_text() or "{}")
    except (OSError, ValueError):
        holder = {}
    if {"what", "pid", "since"} <= holder.keys():
        return f"{holder['what']} (process {holder['pid']}, since {holder['since']})"
    return "Another process"


def _busy_message(path: Path) -> str:
    return (
        f"{_holder(path)} is writing the warehouse. One writer at a time: wait until it has ended "
        "and try again, or set CSP_LOCK_WAIT_SECONDS to wait for it."
    )


@contextmanager
def connect(
    settings: Settings, *, read_only: bool = False, at: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse (or a file that is a copy of it, ``at`` its place); close it in any case.

    Every opening of a restricted database goes through here. Raises :class:`WarehouseBusyError`
    where another process holds the file, :class:`WarehouseUnreadableError` where it is missing
    (read-only) or may not be read, :class:`EncryptionError` where its key is missing or wrong, and
    :class:`WarehouseDamagedError` where it is damaged, also if that is found out only by what is
    done inside. Of a lake, also :class:`LakeError` where its catalogue cannot be used.
    """
    if settings.on_lake and at is None:
        with _lake(settings, read_only) as connection:
            yield connection
        return
    file = at or settings.warehouse
    if read_only and not file.exists():
        raise WarehouseUnreadableError(
            f"There is no warehouse at {file} yet. Run `csp refresh` first."
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    connection = _open(settings, file, read_only)
    try:
        yield connection
    except duckdb.Error as error:
        said = str(error)
        if is_damage(said):
            raise _damaged(settings, file, said) from error
        if is_refused_by_disk(said):
            raise unwritable(file, said) from error
        raise
    finally:
        connection.close()


@contextmanager
def _lake(settings: Settings, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the lake; close it in any case."""
    connection = without_progress_bar(duckdb.connect(":memory:", config=_config(settings)))
    try:
        attach_lake(connection, settings, CATALOGUE, read_only=read_only)
        connection.execute(f"use {CATALOGUE}")
        yield connection
    except duckdb.Error as error:
        said = str(error)
        if fault := lake_fault(settings, said):
            raise fault from None
        if is_refused_by_disk(said):
            raise unwritable(Path(settings.lake_data or ""), said) from error
        raise
    finally:
        connection.close()


def _config(settings: Settings) -> _Config:
    return {
        "memory_limit": settings.engine_memory,
        "threads": settings.threads,
        "temp_directory": str(settings.home / "warehouse.tmp"),
    }


def _open(settings: Settings, file: Path, read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
        return _attached(file, settings.warehouse_key, read_only, _config(settings))
    except duckdb.Error as error:
        said = str(error)
        refuse_without_key(error, file)
        if "set lock" in said:
            raise WarehouseBusyError(
                f"{file} is open in another program (a SQL client, perhaps). "
                "Close it there and try again. To query while refreshes run, open the published "
                f"database instead: {settings.published / 'csp.duckdb'}"
            ) from error
        if is_damage(said):
            raise _damaged(settings, file, said) from error
        if is_refused_by_disk(said):
            raise unwritable(file, said) from error
        raise WarehouseUnreadableError(
            f"{file} cannot be opened: {said.splitlines()[0]} The published releases are not "
            "affected. Check the file's permissions, and try again."
        ) from error


_DAMAGE = (
    "not a valid DuckDB database file",
    "Could not read enough bytes",
    "Corrupt database file",
    "Failure while replaying WAL",
    "Failed to deserialize",
    "Serialization Error",
    # Of an encrypted file; a wrong key has another message.
    "Computed AES tag differs",
)


def is_damage(message: str) -> bool:
    """Return whether DuckDB's message means that the file itself is damaged."""
    return any(words in message for words in _DAMAGE)


_REFUSED_BY_DISK = (
    "No space left on device",
    "Permission denied",
    "Read-only file system",
    "File too large",
    "Disk quota exceeded",
    "Could not write",
    "failed to offload data block",
)


def is_refused_by_disk(message: str) -> bool:
    """Return whether DuckDB's message means a full disk or a missing permission."""
    return any(words in message for words in _REFUSED_BY_DISK)


def unwritable(place: Path, message: str) -> StorageError:
    """Return the error of a place that cannot be written, with what to do about it."""
    return StorageError(
        f"{place} cannot be written ({message.splitlines()[0]}). The published releases are not "
        "affected. Make room on its disk, or give the permission, and refresh again: there is "
        "nothing to clean up."
    )


def _damaged(settings: Settings, file: Path, message: str) -> WarehouseDamagedError:
    if file == settings.warehouse:
        return damaged(file, message)
    return WarehouseDamagedError(f"{file} is damaged ({message.splitlines()[0]}).")


def damaged(file: Path, message: str) -> WarehouseDamagedError:
    """Note beside the warehouse that it is damaged, for the next run to repair; return the error.

    Nothing is noted where that cannot be written: the next run meets the damage again.
    """
    with suppress(OSError):
        damage_note(file).write_text(message.splitlines()[0])
    return WarehouseDamagedError(
        f"{file} is damaged ({message.splitlines()[0]}). The published releases are not affected. "
        "Refresh again: the damaged file is set aside, and the warehouse is restored from the "
        "newest backup, or else rebuilt from the landing zone."
    )


def damage_note(file: Path) -> Path:
    """Return where it is noted that ``file`` is damaged."""
    return file.with_name(f"{file.name}.damaged")


def log_beside(file: Path) -> Path:
    """Return where DuckDB keeps the write-ahead log of ``file``."""
    return file.with_name(f"{file.name}.wal")


def _attached(
    file: Path, key: SecretStr | None, read_only: bool, config: _Config
) -> duckdb.DuckDBPyConnection:
    """Open a warehouse as a database of its own name beside an empty one in memory.

    Only so can it be said how it is written, and given its key.
    """
    connection = without_progress_bar(duckdb.connect(":memory:", config=config))
    try:
        attach(connection, file, CATALOGUE, key, read_only=read_only)
    except BaseException:
        connection.close()
        raise
    connection.execute(f"use {CATALOGUE}")
    return connection


def deny_other_files(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Keep the statements of an open warehouse from every file but the data of a lake."""
    if settings.on_lake:
        connection.execute(f"set allowed_directories = [{literal(data_path(settings))}]")
    connection.execute("set enable_external_access = false")


def lake_attacher(settings: Settings) -> AttachLake | None:
    """Return the call that attaches the lake for reading under a name; none where the warehouse is
    a file."""
    return partial(attach_lake, settings=settings, read_only=True) if settings.on_lake else None


def attach(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    alias: str,
    key: SecretStr | None,
    *,
    read_only: bool,
) -> None:
    """Attach a restricted database as ``alias``, made where it is missing and may be written.

    It is encrypted where there is a ``key``. Raises :class:`EncryptionError` for a wrong key, and
    DuckDB's own errors.
    """
    written_as = None if read_only else _WRITTEN_AS
    if key:
        attach_encrypted(connection, file, alias, key.get_secret_value(), written_as=written_as)
        return
    connection.execute(f"attach {literal(str(file))} as {alias} ({written_as or 'read_only'})")
