"""A release with the tables that count people, for the tests of what is made of them.

The tables of a refreshed warehouse are added to its published file as they would leave disclosure
control: some counts hidden, with ``[c]``, and the percentages that go with them. The figures are
the sample's, which are synthetic. Tables that the release holds already are left as they are.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from orchestration.warehouse.sql_quoting import identifier, qualified

_HIDDEN_BELOW = 5

_COUNTS = (
    "offenders", "people", "juvenile_offenders", "first_time_entrants", "offenders_with_need",
    "with_need", "no_fixed_abode",
)  # fmt: skip
"""Columns whose small counts are hidden."""

_FOLLOWERS = (
    "offences", "percent_of_offences", "percent_of_offenders", "percent_of_all",
    "percent_of_known", "percent", "percent_lower", "percent_upper", "proportion",
    "proportion_lower", "proportion_upper", "rate_per_1000", "compared_with_rest", "change_on_year",
    "change_on_year_percent", "commonest_first_offence", "commonest_first_offence_entrants",
    "second_first_offence", "second_first_offence_entrants", "rank_in_service",
    "with_accommodation",
)  # fmt: skip
"""Columns that are hidden with a count of their row."""


def people_release(
    published: Path, warehouse: Path, manifest: Mapping[str, Any], target: Path
) -> Path:
    """Write to ``target`` the release at ``published`` with every report of ``warehouse``."""
    target.write_bytes(published.read_bytes())
    with duckdb.connect(target) as connection:
        connection.execute(f"attach '{warehouse}' as restricted (read_only)")
        for node in manifest["nodes"].values():
            if node.get("resource_type") == "model" and node["schema"] == "reports":
                _add(connection, node)
        connection.execute(
            "insert into main.sources select deliveries.source, deliveries.source, 'A supplier', "
            "null, deliveries.quarter, version, nature, null, null, null, file_name, sha256, "
            "bytes, files.rows_loaded, files.rows_refused, null from restricted.control.deliveries "
            "join restricted.control.files using (delivery_id) "
            "where deliveries.source not in (select source from main.sources)"
        )
        connection.execute("detach restricted")
    return target


def _add(connection: duckdb.DuckDBPyConnection, node: Mapping[str, Any]) -> None:
    name = node["name"]
    held = connection.execute(
        "select count(*) from main.published_tables where table_name = ?", [name]
    ).fetchone()
    if held and held[0]:
        return
    table = qualified("reports", name)
    connection.execute(f"create table {table} as from restricted.reports.{identifier(name)}")
    types = dict(
        connection.execute(
            "select column_name, data_type from duckdb_columns() "
            "where database_name = 'csp' and schema_name = 'reports' and table_name = ?",
            [name],
        ).fetchall()
    )
    if "status" not in types:
        connection.execute(f"alter table {table} add column status varchar")
        types["status"] = "VARCHAR"
    _hide(connection, table, set(types))
    meta = node["config"]["meta"]["csp"]
    key = meta.get("key") or []
    connection.execute(
        "insert into main.published_tables values ('reports', ?, ?, ?, ?, 'people', ?, 0, null)",
        [name, meta["title"], node["description"], meta.get("note"), ", ".join(key)],
    )
    for position, (column, data_type) in enumerate(types.items(), start=1):
        connection.execute(
            "insert into main.data_dictionary values ('reports', ?, ?, ?, ?, ?, null)",
            [name, position, column, data_type, f"The {column}."],
        )


def _hide(connection: duckdb.DuckDBPyConnection, table: str, columns: set[str]) -> None:
    counts = [name for name in _COUNTS if name in columns]
    if not counts:
        return
    count = counts[0]
    hidden = [name for name in (count, *_FOLLOWERS) if name in columns]
    connection.execute(
        f"update {table} set status = '[c]', "
        f"{', '.join(f'{identifier(name)} = null' for name in hidden)} "
        f"where {identifier(count)} between 1 and {_HIDDEN_BELOW - 1}"
    )
