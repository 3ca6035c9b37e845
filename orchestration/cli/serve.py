"""``csp serve``: the Dagster UI and its daemon (schedule, sensors, queue), until one ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from orchestration.cli.prepare import prepare
from orchestration.config.settings import PROJECT, Settings

_WORKSPACE = str(PROJECT / "workspace.yaml")
_ENDING_SECONDS = 300
"""A run that has begun gets this long to end."""
_ASKED_AGAIN_SECONDS = 30
"""A program that is still starting can miss the first request to end."""


def serve_ui(
    settings: Settings, host: str, port: int | None, *, read_only: bool, daemon: bool
) -> int:
    """Serve the Dagster UI at ``host`` and ``port`` (3000 or a free one) until it is stopped.

    With ``daemon``, Dagster's daemon runs beside it; ``read_only`` lets nobody start a run. Returns
    the exit code: 0 where it was stopped, 1 where a program ended by itself.
    """
    prepare(settings)
    screen = [sys.executable, "-m", "orchestration.dagster.webserver", "--workspace", _WORKSPACE]
    screen += ["--host", host, *(["--port", str(port)] if port else [])]
    screen += ["--read-only"] if read_only else []
    programs = [screen]
    if daemon:
        background = Path(sys.executable).with_name("dagster-daemon")
        programs.append([str(background), "run", "--workspace", _WORKSPACE])
    with _stopped_by_signals(), _running(programs) as running:
        try:
            while all(one.poll() is None for one in running):
                time.sleep(0.5)
        except KeyboardInterrupt:
            return 0
        return 1


@contextmanager
def _running(programs: Sequence[list[str]]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start the programs, and end what still runs of them."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = os.environ | {"PATH": path, "PYTHONWARNINGS": "ignore"}
    running: list[subprocess.Popen[bytes]] = []
    try:
        for program in programs:
            running.append(subprocess.Popen(program, env=environment, cwd=PROJECT))
        yield running
    finally:
        _end(running)


def _end(running: Sequence[subprocess.Popen[bytes]]) -> None:
    for _ in range(_ENDING_SECONDS // _ASKED_AGAIN_SECONDS):
        for one in running:
            one.terminate()
        deadline = time.monotonic() + _ASKED_AGAIN_SECONDS
        while time.monotonic() < deadline:
            if all(one.poll() is not None for one in running):
                return
            time.sleep(0.2)
    for one in running:
        one.kill()


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """End in order where a service manager or a container stops the program."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
