"""Reads a delivered file in a process apart, so that no file can stop a refresh.

Workbooks and GeoJSON are read whole by libraries that a file may break or lead to take all memory.
``reading_process`` reads each file in a child with limits; what goes wrong there is a refusal that
names the file.
"""

import functools
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestration.errors import LandingError, StorageError
from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.checking.faults import Fault, SubmissionError
from orchestration.ingest.checking.shown_texts import shown_path
from orchestration.ingest.landing.landing_zone import LandedFile
from orchestration.ingest.reading.reading_limits import ReadingLimits
from orchestration.ingest.reading.reading_process import Ending, Request

_PROGRAM = "orchestration.ingest.reading.reading_process"
_PROJECT = Path(__file__).resolve().parents[3]
_SECRETS = ("CSP_WAREHOUSE_KEY", "CSP_PSEUDONYM_KEY", "CSP_SMTP_PASSWORD", "CSP_ALERT_WEBHOOK")
_MOST_FINDINGS = 64 << 20
_END_SECONDS = 5
_MEMORY_REFUSED = re.compile(r"takes more than ([\d,]+) megabytes of memory")


@dataclass(frozen=True)
class ReadFile:
    """What reading found in a file: its row file with the number of rows, and its warnings."""

    rows_path: Path
    rows: int
    warnings: list[Fault] = field(default_factory=list)


def read_isolated(file: LandedFile, contract: Contract, folder: Path, memory: int) -> ReadFile:
    """Read a file by the source's reader in a process apart; write its rows into ``folder``.

    ``memory`` is how many bytes the reading may take. Raises :class:`SubmissionError` for a file
    that the reader refuses, that breaks it, or that takes too much memory or time, and
    :class:`LandingError` for one that the system does not let it read.
    """
    place = Path(tempfile.mkdtemp(dir=folder))
    limits = ReadingLimits.of(file.bytes, memory)
    request = Request(contract=contract, file=file, folder=place, limits=limits)
    ending = _reading_process().ask(request)
    if ending != "read":
        raise SubmissionError(_broken_off(file, ending, limits))
    found = _found(request.findings)
    if "faults" in found:
        raise SubmissionError(_faults(found["faults"]))
    if "system" in found:
        raise LandingError(
            f"{shown_path(file.path)} cannot be read ({found['system']}). Refresh again."
        )
    if "unforeseen" in found:
        raise SubmissionError(unforeseen(file, found["unforeseen"]))
    return ReadFile(request.rows, found["rows"], _faults(found["warnings"]))


def unforeseen(file: LandedFile, place: str) -> Fault:
    """Return the fault of a file that no reader can cope with; ``place`` says where one gave up."""
    return Fault(
        "can be read",
        f"The file holds something that its reader cannot take ({place}). Open it in the program "
        "that made it, save it again, and send it again.",
        file=file.name,
    )


def may_be_read_with(reason: str | None, memory: int) -> bool:
    """Say whether a file was refused for want of memory, and ``memory`` is more than it had."""
    found = _MEMORY_REFUSED.search(reason or "")
    return found is not None and int(found[1].replace(",", "")) < memory >> 20


def _broken_off(file: LandedFile, ending: Ending, limits: ReadingLimits) -> Fault:
    if ending == "crash":
        return Fault(
            "can be opened",
            "The file is damaged: the program that reads files of its kind breaks off. Open it in "
            "the program that made it, save it again, and send it again.",
            file=file.name,
        )
    limit = (
        f"{limits.memory >> 20:,} megabytes of memory"
        if ending == "memory"
        else f"{limits.cpu_seconds:,} seconds"
    )
    return Fault(
        "is of a reasonable size",
        f"To read the file takes more than {limit}. Delete the rows and columns beyond the table, "
        "and save it again. If the table is that large, raise CSP_MEMORY_LIMIT.",
        file=file.name,
    )


def _found(path: Path) -> dict[str, Any]:
    if path.stat().st_size > _MOST_FINDINGS:
        return {"unforeseen": "more findings than a report can hold"}
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def _faults(found: list[dict[str, Any]]) -> list[Fault]:
    """Return faults, with no character in them that UTF-8 does not have."""
    return [Fault(**{name: _written(value) for name, value in one.items()}) for one in found]


def _written(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return value


# --- the process -----------------------------------------------------------------------------


@functools.cache
def _reading_process() -> "_ReadingProcess":
    """Return the one reading process of this program: to start one takes a third of a second."""
    return _ReadingProcess()


class _ReadingProcess:
    """The process, started when it is first asked and again where it has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def ask(self, request: Request) -> Ending:
        """Have a file read, and return how that ended. One file is read at a time.

        Raises :class:`StorageError` where no process can be started.
        """
        with self._lock:
            process = self._running()
            try:
                return _answer(process, request)
            except BaseException:
                # An interrupted caller must not find the answer to another question.
                process.kill()
                process.wait()
                self._process = None
                raise

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
            self._process = _started()
            self._owner = os.getpid()
            weakref.finalize(self, _end, self._process)
        return self._process


def _started() -> subprocess.Popen[bytes]:
    above = os.environ.get("PYTHONPATH")
    environment = {name: text for name, text in os.environ.items() if name not in _SECRETS}
    environment |= {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(_PROJECT), above])),
        # Arrow's own allocator reserves more address space than a child may have.
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # Ctrl-C is for this process, which ends the other.
        )
    except OSError as error:
        raise StorageError(
            f"No process can be started to read files ({error.strerror})."
        ) from error


def _answer(process: subprocess.Popen[bytes], request: Request) -> Ending:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(request.model_dump_json().encode() + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        answer = b""
    else:
        answer = process.stdout.readline()
    if not answer:
        raise StorageError(
            "The process that reads files has ended (out of memory, perhaps). Refresh again: "
            "nothing of the delivery was loaded."
        )
    ending: Ending = answer.decode().strip()  # type: ignore[assignment]
    return ending


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that has nothing to read any more."""
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()
