"""Opens the warehouse for dbt: a plug-in of dbt-duckdb, named in the profile.

The warehouse is attached to a database in memory, with the same options as everywhere else, and
with its key if it is encrypted. The key comes from the settings and not from the profile, because
dbt keeps and logs parts of the profile. The connection also gets the functions that models call
(:mod:`orchestration.transform.seasonal_functions`).
"""

from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from orchestration.config.settings import load_settings
from orchestration.transform.seasonal_functions import register
from orchestration.warehouse.connection import CATALOGUE, attach
from orchestration.warehouse.lake import attach_lake
from orchestration.warehouse.progress_bar import without_progress_bar


class Plugin(BasePlugin):
    """Attaches the warehouse before dbt would, and uses it on every cursor."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Attach the lake, or the file that the profile names, to the database that dbt opened."""
        register(without_progress_bar(conn))
        settings = load_settings()
        if settings.on_lake:
            attach_lake(conn, settings, CATALOGUE, read_only=False)
            return
        for named in (self.creds and self.creds.attach) or ():
            attach(conn, Path(named.path), CATALOGUE, settings.warehouse_key, read_only=False)

    def configure_cursor(self, cursor: Any) -> None:
        """Make the warehouse the cursor's own database."""
        cursor.execute(f"use {CATALOGUE}")
