"""Every private interface of dbt and dbt-duckdb that is used, in one place.

Nothing else may import an interface that these packages do not promise to keep: a test says so,
and another names the one that an upgrade has changed.
"""

import time
from typing import Any

_LONGEST_STATEMENT_SECONDS = 600


def close_connections() -> None:
    """Close dbt-duckdb's connection: it keeps the write lock for as long as it is open.

    dbt only forgets it. Where dbt itself breaks off, its threads still complete the statements that
    they are at; they are waited for.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    environment = DuckDBConnectionManager._ENV
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    if environment is not None:
        _wait_for_statements(environment)
        environment.close()


def _wait_for_statements(environment: Any) -> None:
    """Wait until no thread of dbt has a cursor open, at most for the longest statement."""
    until = time.monotonic() + _LONGEST_STATEMENT_SECONDS
    while environment.handle_count > 0 and time.monotonic() < until:
        time.sleep(0.05)
