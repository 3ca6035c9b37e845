"""DuckDB's own progress bar, which no command wants among what it prints."""

import duckdb


def without_progress_bar(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Keep DuckDB from drawing a bar on the standard output after two seconds of a query.

    It would stand in the midst of what a command prints, JSON among it. The option is of a
    connection or cursor alone, so no configuration can say it. Returns the connection.
    """
    connection.execute("set enable_progress_bar = false")
    return connection
