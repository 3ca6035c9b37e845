"""Opens and names DuckDB files while publishing and exporting.

Files are attached to a private in-memory database, never opened by ``duckdb.connect(path)``: in
one process that function hands back the database it has already open under the path, so it would
show the old release after a new one was renamed over it. An attached file is read afresh.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from orchestration.releases.errors import PublishError, ReleaseUnreadableError
from orchestration.warehouse.encryption import attach_encrypted
from orchestration.warehouse.progress_bar import without_progress_bar
from orchestration.warehouse.sql_quoting import identifier, literal

PUBLISHED_FILE = "csp.duckdb"
"""Name of a published file. DuckDB names a catalogue after its file, so this never changes."""

CATALOGUE = "csp"
"""Catalogue name that readers see."""

SPILL = ".spill"
"""Folder, beside a release, for what does not fit into memory while it is built or read."""


@contextmanager
def engine(
    spill: Path, memory_limit: str | None = None, threads: int | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a private in-memory database, and close it whatever happens.

    What does not fit into memory goes into the folder ``spill``, which is made then.
    """
    config: dict[str, str | bool | int | float | list[str]] = {"temp_directory": str(spill)}
    if memory_limit:
        config["memory_limit"] = memory_limit
    if threads:
        config["threads"] = threads
    connection = without_progress_bar(duckdb.connect(":memory:", config=config))
    try:
        yield connection
    finally:
        connection.close()


def attach_read_only(
    connection: duckdb.DuckDBPyConnection, path: Path, alias: str, key: str | None = None
) -> None:
    """Attach the DuckDB file at ``path`` as ``alias``, for reading only; ``key`` if encrypted.

    Raises :class:`PublishError` where the file is missing, locked by a writer, or unreadable.
    """
    if not path.is_file():
        raise PublishError(f"There is no database at {path}.")
    try:
        if key:
            attach_encrypted(connection, path, identifier(alias), key)
        else:
            connection.execute(f"attach {literal(str(path))} as {identifier(alias)} (read_only)")
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        if "lock" in reason.lower():
            raise PublishError(
                f"{path} is held by another program that writes it. Close it there and try again."
            ) from error
        raise PublishError(f"{path} cannot be read: {reason}") from error


@contextmanager
def open_release(path: Path, threads: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published file at ``path`` for reading, as the catalogue ``csp`` in use.

    Raises :class:`ReleaseUnreadableError` where it is missing, damaged or not a release.
    """
    with engine(path.parent / SPILL, threads=threads) as connection:
        try:
            attach_read_only(connection, path, CATALOGUE)
            connection.execute(f"use {CATALOGUE}")
            connection.execute("select quarter from main.release")
        except (PublishError, duckdb.Error) as error:
            reason = str(error).splitlines()[0]
            raise ReleaseUnreadableError(f"{path} is not a readable release: {reason}") from error
        yield connection
