"""How long an analyst waits: the example queries of the docs on the published file.

``python -m tests.bench.readers FILE`` prints one JSON object; times are in milliseconds.
"""

import json
import re
import statistics
import time
from pathlib import Path

import duckdb

from orchestration.config.settings import PROJECT

_TIMES = 5
_YARDSTICK = "select area_code, crime_type, sum(offences) from marts.crime_monthly group by all"


def example_queries() -> dict[str, str]:
    """Return the example queries of the docs by their question."""
    page = (PROJECT / "docs" / "bi" / "queries.md").read_text(encoding="utf-8")
    return dict(re.findall(r"### (\d+\. [^\n]+)\n+```sql\n(.*?)```", page, re.S))


def measure(published: Path) -> dict[str, float | str]:
    """Run each query several times on one connection, and a plain sum of crime as a yardstick.

    The file is read once before, as it would be on a server that others have queried.
    """
    queries = example_queries()
    taken: dict[str, list[float]] = {}
    with duckdb.connect(published, read_only=True) as connection:
        with_rows = sum(bool(connection.execute(query).fetchall()) for query in queries.values())
        yardstick = statistics.median(_timed(connection, _YARDSTICK) for _ in range(_TIMES))
        for question, query in queries.items():
            taken[question] = [_timed(connection, query) for _ in range(_TIMES)]
    every = sorted(one for times in taken.values() for one in times)
    slowest = max(taken, key=lambda question: statistics.median(taken[question]))
    return {
        "queries": len(queries),
        "with_rows": with_rows,
        "median": statistics.median(every),
        "p95": statistics.quantiles(every, n=20)[-1],
        "slowest": statistics.median(taken[slowest]),
        "slowest_question": slowest,
        "yardstick": yardstick,
        "file_mb": published.stat().st_size / 1e6,
    }


def _timed(connection: duckdb.DuckDBPyConnection, query: str) -> float:
    started = time.perf_counter()
    connection.execute(query).fetchall()
    return 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    import sys

    print(json.dumps(measure(Path(sys.argv[1]))))
