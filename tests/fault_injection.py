"""Faults at a chosen call into the system or DuckDB: a kill, a full disk, an interrupt."""

import errno
import os
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

DONE, REFUSED, INTERRUPTED, UNCONFIRMED, UNEXPECTED, KILLED = 0, 1, 2, 4, 3, 9
CALLS = {
    "open", "mkdir", "rename", "replace", "link", "write", "fsync", "chmod", "utime", "sendfile",
    "copy_file_range", "rmdir", "unlink", "close", "_fcopyfile", "flock", "exchange",
}  # fmt: skip


def kill() -> NoReturn:
    """End this process at once, as SIGKILL does."""
    os._exit(KILLED)


def fill_the_disk() -> NoReturn:
    """Fail as a write to a full disk does."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")


def interrupt() -> NoReturn:
    """Interrupt as Ctrl-C does."""
    raise KeyboardInterrupt


class Faulty:
    """Counts this thread's calls by name, and has a fault at one of them; for ``sys.setprofile``.

    ``starts`` counts only the start of a call, not its return.
    """

    def __init__(
        self,
        at: int | None = None,
        fault: Callable[[], NoReturn] = kill,
        names: set[str] | None = None,
        *,
        starts: bool = False,
    ) -> None:
        self.calls = 0
        self._at, self._fault, self._names = at, fault, names or CALLS
        self._ends = {"c_call", "call"} if starts else {"c_call", "c_return", "call", "return"}

    def __call__(self, frame: Any, event: str, called: Any) -> None:
        if event not in self._ends:
            return
        name = getattr(called, "__name__", "") if event.startswith("c_") else frame.f_code.co_name
        if name in self._names:
            self.calls += 1
            if self.calls == self._at:
                self._fault()


def in_child(work: Callable[[], int]) -> int:
    """Return the exit code of ``work`` in a forked process."""
    if (pid := os.fork()) == 0:
        code = UNEXPECTED
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def moments(calls: int, faults: int) -> Iterator[int]:
    """Return so many calls, evenly from the first to the last; 0 is every one."""
    wanted = min(faults or calls, calls)
    return (calls - place * calls // wanted for place in range(wanted))
