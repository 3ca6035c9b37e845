"""What the marts were last built from, so that they need not be built again from the same.

A build that ended well, with every check passed, leaves one row in ``control.last_build``: the
fingerprint of everything that it read, and the rows of every table that it made. dbt itself drops
that table before it touches a model (``on-run-start`` in ``dbt_project.yml``), whoever runs it, so
a build that failed, was interrupted or covered a part only never counts as standing.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

_TABLE = "control.last_build"


@dataclass(frozen=True)
class LastBuild:
    """A whole build that ended well.

    ``fingerprint`` is of all that it read (see :func:`fingerprint`), ``built_at`` is in UTC,
    ``tests`` is how many dbt tests passed, ``rows`` has the rows of each table by ``schema.name``.
    """

    fingerprint: str
    built_at: datetime
    tests: int
    rows: Mapping[str, int]


def fingerprint(
    connection: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any], project: str
) -> str:
    """Return the SHA-256 of everything that a build reads, in hexadecimal.

    That is the dbt project (``project`` is its digest), the engine, every row of the control tables
    (quarter, deliveries in force, partnerships), and how far each raw table reaches: raw rows are
    only ever added, each delivery's under a number of its own. Raises :class:`duckdb.Error` where
    a source's table is missing.
    """
    digest = hashlib.sha256(f"{project} {duckdb.__version__}".encode())
    for node in sorted(manifest["sources"].values(), key=lambda one: str(one["unique_id"])):
        table = f"{node['schema']}.{node['identifier']}"
        what = (
            "count(*), max(_delivery_id)"
            if node["source_name"] == "raw"
            else "count(*), sum(md5_number_lower(held::varchar)::hugeint)"
        )
        found = connection.execute(f"select {what} from {table} as held").fetchall()
        digest.update(repr((table, found)).encode())
    return digest.hexdigest()


def standing_build(connection: duckdb.DuckDBPyConnection, wanted: str) -> LastBuild | None:
    """Return the last build where it was made from ``wanted`` and all its tables still stand."""
    try:
        found = connection.execute(
            f"select fingerprint, built_at, tests, row_counts from {_TABLE}"
        ).fetchall()
    except duckdb.CatalogException:
        return None
    if len(found) != 1:
        return None
    known, built_at, tests, rows = found[0]
    last = LastBuild(known, built_at, tests, json.loads(rows))
    if last.fingerprint != wanted or table_rows(connection, last.rows) != last.rows:
        return None
    return last


def remember(connection: duckdb.DuckDBPyConnection, build: LastBuild) -> None:
    """Write down a build that ended well."""
    connection.execute(
        f"create or replace table {_TABLE} "
        "(fingerprint varchar, built_at timestamp, tests integer, row_counts varchar)"
    )
    connection.execute(
        f"insert into {_TABLE} values (?, ?, ?, ?)",
        [build.fingerprint, build.built_at, build.tests, json.dumps(dict(build.rows))],
    )


def table_rows(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> dict[str, int]:
    """Count the rows of those of the tables (``schema.name``) that there are; views are left out.

    A view would have to be computed.
    """
    standing = {
        name
        for (name,) in connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where database_name = current_database()"
        ).fetchall()
    }
    wanted = [name for name in names if name in standing]
    if not wanted:
        return {}
    counts = connection.execute(
        " union all ".join(f"select '{name}', count(*) from {name}" for name in wanted)
    ).fetchall()
    return dict(counts)
