"""One measured process: the warehouse's own SQL for the same marts, run by DuckDB alone.

What it runs is written down beforehand (:func:`script`): one statement that loads the rows, with no
rule, count or checksum; then every model that a refresh of the crime marts has built, as dbt
compiled it, in its order. No check, no Dagster, no dbt. The few small tables that the models read
besides are copied from the refreshed warehouse. Prints one JSON object.
"""

import json
import resource
import time
from pathlib import Path

import duckdb

from orchestration.ingest.contract import SOURCES, load_contract

_CRIMES = "police_uk_street"
_SCHEMAS = ("raw", "control", "corrected", "staging", "intermediate", "marts", "reference")


def script(home: Path, raw: Path) -> str:
    """Return the SQL that makes the crime marts as the refresh of ``home`` has made them.

    It is for a database called ``warehouse``, and reads the landing zone ``raw``.
    """
    results = json.loads((home / "dbt" / "target" / "run_results.json").read_text())["results"]
    warehouse = home / "warehouse.duckdb"
    with duckdb.connect(warehouse, read_only=True) as connection:
        views = connection.execute("select schema_name, view_name from duckdb_views()").fetchall()
        small = connection.execute(
            "select schema_name, table_name from duckdb_tables() "
            f"where schema_name in ('raw', 'control') and table_name <> '{_CRIMES}' order by all"
        ).fetchall()
        load = _load(connection, raw)
    statements = [f"create schema {schema}" for schema in _SCHEMAS]
    statements += [f"attach '{warehouse}' as refreshed (read_only)", *load]
    statements += [_copy(schema, table) for schema, table in small]
    statements += [
        f"create view corrected.{table} as select * from raw.{table}"
        for schema, table in [("raw", _CRIMES), *small]
        if schema == "raw"
    ]
    for result in results:
        kind, _, name = result["unique_id"].split(".")[:3]
        if kind == "seed":
            statements.append(_copy("reference", name))
        elif kind == "model":
            relation = result["relation_name"]
            _, schema, _ = relation.replace('"', "").split(".")
            made = "view" if (schema, name) in views else "table"
            statements.append(f"create {made} {relation} as {result['compiled_code']}")
    return ";\n".join([*statements, "checkpoint"])


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
    print(json.dumps(measured))  # noqa: T201
