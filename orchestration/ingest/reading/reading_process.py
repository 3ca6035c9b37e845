"""The process that reads delivered files, each in a child with limits on memory and time.

It is started by ``isolated_reading`` as a program. It reads no file itself: for each request, a
line of JSON, it forks a child that reads one file, writes its rows (``row_file``) and its findings
(JSON), and ends. So a file that breaks a reader, takes all memory or never ends does no harm. It
ends when its caller has ended.
"""

import dataclasses
import errno
import gc
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NoReturn

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

# The readers of the sources import these, and so does every child that is forked from here.
from orchestration.config.without_pandas import without_pandas
from orchestration.ingest.checking import contract as contracts
from orchestration.ingest.checking.faults import SubmissionError
from orchestration.ingest.landing.landing_zone import LandedFile
from orchestration.ingest.reading import date_cells  # noqa: F401
from orchestration.ingest.reading.keyed_csv import read_keyed_csv
from orchestration.ingest.reading.reading_limits import ReadingLimits
from orchestration.ingest.reading.row_file import write_rows
from orchestration.ingest.reading.source_reading import Reading, reader_of

_REQUESTS = 0
_ANSWERS = 1
_OUT_OF_MEMORY = 3
_PAGE = resource.getpagesize()

Ending = Literal["read", "memory", "time", "crash"]
"""How a child ended: with its findings, at a limit, or in the middle."""


class Request(BaseModel):
    """What to read, within which limits, and the new folder for the rows and the findings."""

    model_config = ConfigDict(frozen=True)

    contract: contracts.Contract
    file: LandedFile
    folder: Path
    limits: ReadingLimits

    @property
    def rows(self) -> Path:
        """Where the child writes the rows."""
        return self.folder / "rows.arrow"

    @property
    def findings(self) -> Path:
        """Where the child writes what it found, when it has read the file to its end."""
        return self.folder / "findings.json"

    @property
    def errors(self) -> Path:
        """Where the child's libraries write what they print."""
        return self.folder / "errors.txt"


def main() -> None:
    """Answer each line of the standard input with one that says how the reading ended."""
    # What is set up here once is shared by the children, as long as none of them writes to it.
    pa.array([""])
    gc.freeze()
    waiting = b""
    while True:
        while b"\n" not in waiting:
            if not (some := os.read(_REQUESTS, 1 << 16)):
                return
            waiting += some
        line, _, waiting = waiting.partition(b"\n")
        ending = _in_child(Request.model_validate_json(line))
        os.write(_ANSWERS, f"{ending}\n".encode())


# --- the parent ------------------------------------------------------------------------------


def _in_child(request: Request) -> Ending:
    """Read in a child; return how it ended. Ends with the caller, and the child with it."""
    # The child holds the other end until it ends, however it ends.
    ended, held = os.pipe()
    child = os.fork()
    if child == 0:
        _child(request)
    os.close(held)
    late = not _await(child, ended, request.limits.seconds)
    os.close(ended)
    if late:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return "time" if late else _ending(os.waitstatus_to_exitcode(status), request)


def _await(child: int, ended: int, seconds: float) -> bool:
    """Wait for the child; return whether it has ended in time."""
    poller = select.poll()
    poller.register(ended)
    poller.register(_REQUESTS)
    deadline = time.monotonic() + seconds
    while True:
        ready = [one for one, _ in poller.poll(max(0.0, deadline - time.monotonic()) * 1000)]
        if ended in ready:
            return True
        if not ready:
            return False
        # The caller sends nothing while it waits: it has ended.
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os._exit(0)


def _ending(code: int, request: Request) -> Ending:
    if code == 0 and request.findings.exists():
        return "read"
    if code == -signal.SIGXCPU:
        return "time"
    # An allocation that fails in C++ or Rust ends the process; so does the system where it is
    # itself short of memory.
    if code in (_OUT_OF_MEMORY, -signal.SIGKILL) or _said(request.errors).startswith(
        "memory alloc"
    ):
        return "memory"
    return "crash"


def _said(errors: Path) -> str:
    try:
        with errors.open(errors="replace") as stream:
            return stream.read(100)
    except OSError:
        return ""


# --- the child -------------------------------------------------------------------------------


def _child(request: Request) -> NoReturn:
    """Read the file, write what was found, and end."""
    code = 1
    try:
        gc.disable()
        _take_limits(request)
        found = json.dumps(_findings(request))
        request.findings.write_text(found, encoding="ascii")
        code = 0
    except MemoryError:
        code = _OUT_OF_MEMORY
    finally:
        os._exit(code)


def _take_limits(request: Request) -> None:
    """Bound this process; what a library prints goes into a file, for it may quote the data."""
    errors = os.open(request.errors, os.O_WRONLY | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.dup2(errors, 2)
    limits = request.limits
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, _address_space() + limits.memory)
    _limit(resource.RLIMIT_FSIZE, limits.memory)
    _limit(resource.RLIMIT_CPU, limits.cpu_seconds)


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (bound, hard))


def _address_space() -> int:
    """Return how much address space the process has taken so far, in bytes; 0 where unknown."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE
    except OSError:
        return 0


def _findings(request: Request) -> dict[str, Any]:
    """Return what reading found, as JSON takes it.

    It is the number of rows and the warnings, or the faults, or the system's error, or the place
    of an error that no reader expects (never its text, which may quote a value).
    """
    try:
        reading = _reader(request.contract)(request.file)
        rows = write_rows(request.rows, reading.rows, request.contract)
        return {"rows": rows, "warnings": [dataclasses.asdict(one) for one in reading.warnings]}
    except SubmissionError as error:
        return {"faults": [dataclasses.asdict(one) for one in error.faults]}
    except MemoryError:
        raise
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise MemoryError from error
        return {"system": error.strerror or type(error).__name__}
    except BaseException as error:  # noqa: BLE001 (a panic in Rust derives from it)
        return {"unforeseen": place_of(error)}


def place_of(error: BaseException) -> str:
    """Return the type of an error and where it came up, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "orchestration" in Path(frame.filename).parts]
    last = own[-1] if own else frames[-1]
    path = Path(last.filename)
    return f"{type(error).__name__} in {path.parent.name}/{path.name}, line {last.lineno}"


def _reader(contract: contracts.Contract) -> Callable[[LandedFile], Reading]:
    if contract.layout == "keyed_csv":
        return lambda file: read_keyed_csv(file, contract)
    return reader_of(contract)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with without_pandas():
        main()
    sys.exit(0)
