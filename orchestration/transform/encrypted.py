"""How dbt opens an encrypted warehouse: a plug-in of dbt-duckdb, named in the profile.

dbt attaches it to a database in memory. The key is taken from the settings here and not from the
profile, of which dbt keeps and logs parts.
"""

from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from orchestration.encryption import attach_encrypted
from orchestration.errors import EncryptionError
from orchestration.settings import load_settings
from orchestration.warehouse import CATALOGUE


class Plugin(BasePlugin):
    """Attaches the warehouse before dbt would, and uses it on every cursor."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Attach the warehouse with its key, to the engine that dbt has opened."""
        settings = load_settings()
        if settings.warehouse_key is None:
            raise EncryptionError("CSP_WAREHOUSE_KEY is not set.")
        key = settings.warehouse_key.get_secret_value()
        attach_encrypted(conn, settings.warehouse, CATALOGUE, key, read_only=False)

    def configure_cursor(self, cursor: Any) -> None:
        """Make the warehouse the cursor's own database."""
        cursor.execute(f"use {CATALOGUE}")
