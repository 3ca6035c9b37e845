"""The state of the landing zone's files at their last reading, so that none is read twice.

``control.landing_index`` holds each delivered file's state and checksum.
"""

from collections.abc import Iterable
from datetime import date

import duckdb

from orchestration.ingest.landing.landing_zone import Delivery, FileState


def indexed_files(
    connection: duckdb.DuckDBPyConnection, source: str, quarter: date
) -> dict[FileState, str]:
    """Return the checksum of each file of a delivery as it was last read, by its state then."""
    rows = connection.execute(
        "select file_name, bytes, mtime_ns, ctime_ns, inode, sha256 from control.landing_index "
        "where source = ? and quarter = ? and ctime_ns is not null",
        [source, quarter],
    ).fetchall()
    return {FileState(*state): digest for *state, digest in rows}


def index_files(
    connection: duckdb.DuckDBPyConnection, source: str, deliveries: Iterable[Delivery]
) -> None:
    """Keep the state and checksum of the deliveries' files, in place of what was kept before."""
    # Imported here, as `csp status` reads the index and must start without it.
    import pyarrow as pa

    held = [(one.quarter, file) for one in deliveries for file in one.files]
    columns = {
        "source": pa.array([source] * len(held)),
        "quarter": pa.array([quarter for quarter, _ in held], pa.date32()),
        "file_name": pa.array([file.state.name for _, file in held]),
        "bytes": pa.array([file.state.bytes for _, file in held], pa.int64()),
        "mtime_ns": pa.array([file.state.mtime_ns for _, file in held], pa.int64()),
        "ctime_ns": pa.array([file.state.ctime_ns for _, file in held], pa.int64()),
        "inode": pa.array([file.state.inode for _, file in held], pa.uint64()),
        "sha256": pa.array([file.sha256 for _, file in held]),
    }
    connection.register("_indexed", pa.table(columns))
    connection.execute(
        "delete from control.landing_index "
        "where source = ? and quarter in (select quarter from _indexed)",
        [source],
    )
    connection.execute("insert into control.landing_index by name select * from _indexed")
    connection.unregister("_indexed")
