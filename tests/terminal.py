"""A terminal for the tests: runs a program on a pseudo-terminal and keeps when it wrote what."""

import fcntl
import os
import pty
import re
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_UP = "\x1b[1A"
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_ROWS = 40
_SIZES = ("COLUMNS", "LINES")
"""Variables that would say another size than the terminal's; parallel test runs set them."""


@dataclass(frozen=True)
class Recording:
    """What a program wrote: seconds since its start, and text with escape codes."""

    code: int
    output: list[tuple[float, str]]

    @property
    def text(self) -> str:
        """All that was written, without escape codes."""
        return _plain(self.raw)

    @property
    def raw(self) -> str:
        """All that was written."""
        return "".join(text for _, text in self.output)

    def frames(self) -> list[tuple[float, str]]:
        """What was written each time, without escape codes."""
        return [(at, _plain(text)) for at, text in self.output]

    def longest_line(self) -> int:
        """Letters of the longest line that was written."""
        return max(len(line) for line in re.split(r"[\r\n]+", self.text))


def _plain(text: str) -> str:
    """Return a text without escape codes; where the cursor goes up, a new line begins."""
    return _ESCAPES.sub("", text.replace(_UP, "\n"))


def record(
    command: Sequence[str], environment: Mapping[str, str], *, columns: int = 80
) -> Recording:
    """Run a program on a terminal of ``columns`` columns until it ends."""
    pid, terminal = pty.fork()
    if pid == 0:
        size = struct.pack("HHHH", _ROWS, columns, 0, 0)
        fcntl.ioctl(0, termios.TIOCSWINSZ, size)
        own = {name: value for name, value in environment.items() if name not in _SIZES}
        os.execvpe(command[0], list(command), {**own, "TERM": "xterm-256color"})
    began = time.monotonic()
    output = []
    while True:
        try:
            data = os.read(terminal, 1 << 16)
        except OSError:
            break  # The program has closed the terminal.
        if not data:
            break
        output.append((time.monotonic() - began, data.decode(errors="replace")))
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    return Recording(os.waitstatus_to_exitcode(status), output)
