"""Dagster's event log in its own SQLite files, with the connections kept open.

Dagster's storage opens, compiles for, syncs and closes up to three databases for each event, and a
refresh has a thousand. This is the same storage in the same files, readable by any Dagster. It
keeps the connection and syncs at checkpoints instead of at each event. A power cut can cost the
last events of a run. It cannot damage the log, and no figure depends on it. A foreseen error is
kept as its message alone (:mod:`orchestration.dagster.foreseen_errors`).
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from dagster import EventLogEntry, StringSource
from sqlalchemy import Connection, Engine, create_engine, event

from orchestration.dagster.foreseen_errors import with_messages
from orchestration.dagster.private_interfaces import ConfigurableClassData, SqliteEventLogStorage

_INDEX = "index"
"""The database that Dagster keeps of all runs' asset events; the others are one a run."""

_BUSY_SECONDS = 30


class KeptOpenEventLog(SqliteEventLogStorage):
    """Dagster's run-sharded event log, with the index and the latest run's database held open."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._using = threading.RLock()
        self._engines: dict[str, Engine] = {}
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return the shape of the configuration: ``home``, which is Dagster's home."""
        return {"home": StringSource}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> "KeptOpenEventLog":
        """Return the storage in the folder that Dagster itself would use."""
        return cls(str(Path(config_value["home"]) / "history" / "runs"), inst_data)

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event; of a foreseen error, the message."""
        super().store_event(with_messages(event))

    def run_connection(self, run_id: str | None = None) -> AbstractContextManager[Connection]:
        """Return a connection to a run's database, within a transaction."""
        return self._kept(str(run_id))

    def index_connection(self) -> AbstractContextManager[Connection]:
        """Return a connection to the index, within a transaction."""
        return self._kept(_INDEX)

    def has_table(self, table_name: str) -> bool:
        """Say whether the index has a table; Dagster asks before each check, and none goes away."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def wipe(self) -> None:
        """Remove every event."""
        self._close()
        super().wipe()

    def dispose(self) -> None:
        """Close the databases."""
        self._close()
        super().dispose()

    @contextmanager
    def _kept(self, shard: str) -> Iterator[Connection]:
        with self._using, self._engine(shard).begin() as connection:
            yield connection

    def _engine(self, shard: str) -> Engine:
        """Return the open database; another run's than the latest is closed."""
        if shard not in self._engines:
            # Dagster's own connection makes the database and its tables where there are none.
            with SqliteEventLogStorage.run_connection(self, shard):
                pass
            self._close(keeping=_INDEX)
            self._engines[shard] = self._opened(shard)
        return self._engines[shard]

    def _opened(self, shard: str) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(shard), connect_args={"timeout": _BUSY_SECONDS}
        )
        event.listen(engine, "connect", _sync_at_checkpoints)
        return engine

    def _close(self, keeping: str | None = None) -> None:
        with self._using:
            for shard in [one for one in self._engines if one != keeping]:
                self._engines.pop(shard).dispose()


def _sync_at_checkpoints(connection: Any, _: Any) -> None:
    """Leave syncing to SQLite's checkpoints; safe for the file, as it keeps a write-ahead log."""
    connection.execute("pragma synchronous = normal")
