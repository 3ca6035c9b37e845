"""Exports several partnerships at once, each in a process of its own.

Charts and workbooks are work for one processor each. The workers are started as programs:
``multiprocessing`` would import the main module of this process again, and that of ``dagster``
starts another dagster when it is imported.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from orchestration.config.settings import PROJECT
from orchestration.exports.errors import ExportError

WORTH_IT = 4
"""From how many partnerships on: a worker takes more than a second to start."""

_MOST_WORKERS = 4


def workers(partnerships: int) -> int:
    """Return how many processes to export so many partnerships with; 1 for this one alone."""
    if partnerships < WORTH_IT:
        return 1
    return max(1, min(partnerships, os.cpu_count() or 1, _MOST_WORKERS))


def export_side_by_side(
    published: Path, folder: Path, names: Sequence[str], count: int, texts: Path | None = None
) -> None:
    """Export the named partnerships of a release to their folders, shared out to ``count``.

    ``texts`` is the folder of the analysts' texts. Returns when all workers have ended. Raises
    :class:`ExportError` with what the first of them that failed has reported; the folders of the
    others are complete.
    """
    path = os.pathsep.join(filter(None, (str(PROJECT), os.environ.get("PYTHONPATH"))))
    started = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "orchestration.exports",
                str(published.resolve()),
                str(folder.resolve()),
                str(texts.resolve()) if texts else "",
                *names[place::count],
            ],
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for place in range(count)
    ]
    ended = [(worker.communicate()[1], worker.returncode) for worker in started]
    for told, code in ended:
        if code:
            lines = told.strip().splitlines() or [f"A worker ended with {code}."]
            raise ExportError(lines[-1])
