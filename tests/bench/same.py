"""One measured process: the warehouse's own SQL for the same marts, run by DuckDB alone.

What it runs is written down beforehand (:func:`script`): one statement that loads the rows, with no
rule, count or checksum; then every model that a refresh of the crime marts has built, as dbt
compiled it, in its order. No check, no Dagster, no dbt. The few small tables that the models read
besides are copied from the refreshed warehouse. Prints one JSON object.
"""

import json
import resource
import time
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb

from orchestration.ingest.checking.contract import SOURCES, load_contract
from tests.bench.ours import CRIME_MARTS

_CRIMES = "police_uk_street"
_SCHEMAS = ("raw", "control", "in_force", "staging", "intermediate", "marts", "reference")


def script(home: Path, raw: Path) -> str:
    """Return the SQL that makes the crime marts as the refresh of ``home`` has made them.

    It is for a database called ``warehouse``, and reads the landing zone ``raw``.
    """
    warehouse = home / "warehouse.duckdb"
    with duckdb.connect(warehouse, read_only=True) as connection:
        small = connection.execute(
            "select schema_name, table_name from duckdb_tables() "
            f"where schema_name in ('raw', 'control') and table_name <> '{_CRIMES}' order by all"
        ).fetchall()
        load = _load(connection, raw)
        views = [
            sql.rstrip("; \n")
            for (sql,) in connection.execute(
                "select sql from duckdb_views() where schema_name = 'in_force' order by view_name"
            ).fetchall()
        ]
    statements = [f"create schema {schema}" for schema in _SCHEMAS]
    statements += [f"attach '{warehouse}' as refreshed (read_only)", *load]
    statements += [_copy(schema, table) for schema, table in small]
    statements += views
    return ";\n".join([*statements, *_models(home), "checkpoint"])


def _models(home: Path) -> Iterator[str]:
    """Yield the statement of each seed and model behind the crime marts, in an order that works."""
    target = home / "dbt" / "target"
    nodes = json.loads((target / "manifest.json").read_text())["nodes"]
    behind: dict[str, list[str]] = {}
    wanted = [name for name, node in nodes.items() if node["name"] in CRIME_MARTS]
    while wanted:
        name = wanted.pop()
        behind[name] = [one for one in nodes[name]["depends_on"].get("nodes", []) if one in nodes]
        wanted += [one for one in behind[name] if one not in behind]
    for name in TopologicalSorter(behind).static_order():
        node = nodes[name]
        if node["resource_type"] == "seed":
            yield _copy("reference", node["name"])
            continue
        made = "view" if node["config"]["materialized"] == "view" else "table"
        compiled = target / "compiled" / node["package_name"] / node["original_file_path"]
        yield f"create {made} {node['relation_name']} as {compiled.read_text()}"


def _copy(schema: str, table: str) -> str:
    return f"create table {schema}.{table} as select * from refreshed.{schema}.{table}"


def _load(connection: duckdb.DuckDBPyConnection, raw: Path) -> list[str]:
    """Return the statements that load all rows, under the numbers that the refresh gave."""
    files = connection.execute(
        "select deliveries.quarter || '/' || files.file_name, files.delivery_id, files.file_id "
        "from control.files as files inner join control.deliveries as deliveries "
        f"using (delivery_id) where deliveries.source = '{_CRIMES}' order by files.file_id"
    ).fetchall()
    paths = [str(raw / _CRIMES / name) for name, _, _ in files]
    contract = load_contract(SOURCES / _CRIMES)
    columns = {column.title: "VARCHAR" for column in contract.stored_columns}
    values = ", ".join(
        f"strptime(\"{column.title}\", '{column.date_format}')::date as {column.name}"
        if column.type == "DATE"
        else f'"{column.title}"::{column.type} as {column.name}'
        for column in contract.stored_columns
    )
    return [
        f"create table raw.{_CRIMES} as select {values}, "
        f"({[number for _, number, _ in files]}::integer[])[file_index::integer + 1] "
        "as _delivery_id, "
        f"({[number for _, _, number in files]}::integer[])[file_index::integer + 1] as _file_id "
        f"from read_csv({paths}, header = true, auto_detect = false, columns = {columns})"
    ]


def run(sql: str, database: Path, *, memory_limit: str, threads: int) -> dict[str, float]:
    """Run the script on a new database; return seconds and peak MiB."""
    started = time.perf_counter()
    with duckdb.connect(database) as connection:
        connection.execute(f"set memory_limit = '{memory_limit}'; set threads = {threads}")
        connection.execute(sql)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": time.perf_counter() - started, "peak_mib": peak}


if __name__ == "__main__":
    import sys

    written, database, memory_limit, threads = sys.argv[1:]
    measured = run(
        Path(written).read_text(), Path(database), memory_limit=memory_limit, threads=int(threads)
    )
    print(json.dumps(measured))
