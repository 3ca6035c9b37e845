"""How dbt opens the warehouse: a plug-in of dbt-duckdb, named in the profile.

The warehouse is attached to a database in memory, in the one way in which it is written, with its
key where it is encrypted. The key is taken from the settings here and not from the profile, of
which dbt keeps and logs parts.
"""

from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from orchestration.config.settings import load_settings
from orchestration.warehouse.connection import CATALOGUE, attach


class Plugin(BasePlugin):
    """Attaches the warehouse before dbt would, and uses it on every cursor."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Attach the file that the profile names to the engine that dbt has opened."""
        key = load_settings().warehouse_key
        for named in (self.creds and self.creds.attach) or ():
            attach(conn, Path(named.path), CATALOGUE, key, read_only=False)

    def configure_cursor(self, cursor: Any) -> None:
        """Make the warehouse the cursor's own database."""
        cursor.execute(f"use {CATALOGUE}")
