"""The tables of people in the warehouse: as the marts have them, and as they are to be shown."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from orchestration.disclosure import PROTECTED
from orchestration.disclosure.declarations import Row
from orchestration.warehouse.sql_quoting import qualified


def read_table(connection: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    """Return the rows of the mart ``name`` (``schema.table``), in one order."""
    path = qualified(*name.split("."))
    return connection.sql(f"select * from {path} order by all").to_arrow_table()


def write_shown(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    schema: pa.Schema,
    rows: Sequence[Mapping[str, Any]],
) -> list[Row]:
    """Write what is shown of the mart ``name``, and return its rows as a reader gets them."""
    target = qualified(PROTECTED, name.split(".")[1])
    connection.register("shown_rows", pa.Table.from_pylist(list(rows), schema=schema))
    connection.execute(f"create or replace table {target} as select * from shown_rows")
    connection.unregister("shown_rows")
    found: list[Row] = connection.sql(f"select * from {target}").to_arrow_table().to_pylist()
    return found
