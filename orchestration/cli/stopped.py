"""What a command says when it stops, and the exit code that it ends with."""

import errno
import os
import signal
import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

import duckdb

from orchestration.cli.exit_codes import ExitCode, code_of
from orchestration.config.settings import load_settings
from orchestration.errors import CspError, StorageError
from orchestration.warehouse.connection import is_refused_by_disk

_LOG = "unexpected-error.log"
_CUT_SHORT = "Nothing is half-published. Run the command again: it finishes what was cut short."
_REMEDIES = {
    errno.ENOSPC: "Make room on its disk, and run the command again.",
    errno.EDQUOT: "Make room on its disk, and run the command again.",
    errno.EACCES: "Give the permission, and run the command again.",
    errno.EPERM: "Give the permission, and run the command again.",
    errno.EROFS: "Make its disk writable, and run the command again.",
    errno.ENOLCK: "The drive must support file locks. Put CSP_HOME and CSP_RAW on a local disk.",
}


class Terminated(KeyboardInterrupt):
    """The process was asked to end by SIGTERM."""


@contextmanager
def ended_by_sigterm() -> Iterator[list[int]]:
    """Let SIGTERM end the block as Ctrl-C does, so that its files are closed and removed.

    Yields a list that gets the signal: Dagster raises another error in the place of this one.
    """
    received: list[int] = []

    def end(number: int, _: FrameType | None) -> NoReturn:
        received.append(number)
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)


def describe(error: BaseException, *, terminated: bool = False) -> tuple[str, ExitCode]:
    """Return what to say of an error that ended a command, and the exit code.

    ``terminated`` says that SIGTERM came before.

    An unexpected error goes to a log under the home without its message, which could quote a row.
    """
    causes: list[BaseException] = [Terminated()] if terminated else list(_causes(error))
    for one in causes:
        if isinstance(one, CspError):
            return str(one), code_of([type(one)])
    for one in causes:
        if said := _foreseen(one):
            return said
    return _unexpected(error), ExitCode.UNEXPECTED


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__


def _foreseen(error: BaseException) -> tuple[str, ExitCode] | None:
    name = type(error).__name__
    if isinstance(error, Terminated):
        return f"Ended by SIGTERM. {_CUT_SHORT}", ExitCode.TERMINATED
    if isinstance(error, KeyboardInterrupt) or name == "DagsterExecutionInterruptedError":
        return f"Interrupted. {_CUT_SHORT}", ExitCode.INTERRUPTED
    if isinstance(error, MemoryError | duckdb.OutOfMemoryException):
        return (
            "The memory is not enough. Close other programs, or set CSP_MEMORY_LIMIT to what the "
            "machine has, and run the command again."
        ), ExitCode.STOPPED
    if isinstance(error, sqlite3.Error):
        return (
            f"Dagster's records cannot be used ({_first_line(error)}). Make room on the disk of "
            "CSP_HOME, or give the permission, and run the command again: damaged records are set "
            "aside."
        ), ExitCode.STOPPED
    if isinstance(error, duckdb.Error) and is_refused_by_disk(str(error)):
        return f"{_first_line(error)}. {_REMEDIES[errno.ENOSPC]}", ExitCode.STOPPED
    if isinstance(error, duckdb.IOException):
        return f"A database cannot be read ({_first_line(error)}). Refresh again.", ExitCode.STOPPED
    if isinstance(error, OSError) and error.strerror:
        place = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str) else ""
        remedy = _REMEDIES.get(error.errno or 0, "Check it, and run the command again.")
        return f"{place}{error.strerror}. {remedy}", ExitCode.STOPPED
    return None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def _unexpected(error: BaseException) -> str:
    said = f"Unexpected error ({type(error).__name__})."
    with suppress(OSError, CspError):
        return f"{said} See {_log(error)}, and report it."
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{said} It came from line {frame.lineno} of {Path(frame.filename).name}. Report it."


def _log(error: BaseException) -> Path:
    """Write where an error came from into the home, without any message."""
    log = load_settings().home / _LOG
    if not log.parent.is_dir():
        raise StorageError(f"{log.parent} is missing.")
    lines = [f"{type(error).__name__}\n"]
    for one in _causes(error):
        lines += [f"\n{type(one).__name__}\n", *traceback.format_tb(one.__traceback__)]
    log.write_text("".join(lines))
    log.chmod(0o600)
    return log
