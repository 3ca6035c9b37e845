"""The state of the last build, so that no model is built again from the same input.

A build that succeeded, with no check failed, leaves one row in ``control.last_build``: the
fingerprint of everything that each model read, the rows of every table that was made, and the
messages of checks that warned. dbt itself drops that table before it touches a model
(``on-run-start`` in ``dbt_project.yml``), whoever runs it, so a build that failed, was interrupted
or covered only some models never counts.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from graphlib import TopologicalSorter
from typing import Any

import duckdb

_TABLE = "control.last_build"

_IN_FORCE = re.compile(r"source\(\s*'control'\s*,\s*'in_force'\s*\)")
_OF_SOURCE = re.compile(r"\bsource\s*=\s*'(\w+)'")
_WITHOUT_SOURCE = {"in_force", "refresh", "partnership_areas"}
"""Control tables in which no other column is called source."""


@dataclass(frozen=True)
class LastBuild:
    """A build that ended well, with no check failed.

    ``fingerprints`` are by model (see :func:`fingerprints`), ``built_at`` is in UTC, ``rows`` has
    the rows of each table by ``schema.name``, ``warned`` the words of each check that warned.
    """

    fingerprints: Mapping[str, str]
    built_at: datetime
    rows: Mapping[str, int]
    warned: Mapping[str, list[str]] = field(default_factory=dict)


def fingerprints(
    connection: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any], project: str
) -> dict[str, str]:
    """Return for each model and seed the SHA-256 of all that it is made from, parents first.

    That is the dbt project (``project`` is its digest), the DuckDB version, how far each raw table
    reaches (raw rows are only ever added, each delivery's under a number of its own) and how it is
    corrected, the rows of the control tables, and of ``control.in_force`` only those of its source,
    where a model asks for one source; and so on for every model behind it. Raises
    :class:`duckdb.Error` where a source's table is missing.
    """
    made: dict[str, str] = {}
    known: dict[str, str] = {}
    built = {
        name: node
        for name, node in manifest["nodes"].items()
        if node["resource_type"] in {"model", "seed"}
    }
    behind = {name: set(node["depends_on"].get("nodes", [])) for name, node in built.items()}
    for name in TopologicalSorter(behind).static_order():
        if name not in built:
            continue
        digest = hashlib.sha256(f"{project} {duckdb.__version__} {name}".encode())
        for parent in sorted(behind[name]):
            held = made.get(parent)
            if held is None:
                query = _holds(manifest["sources"][parent], built[name])
                if query not in known:
                    known[query] = repr(connection.execute(query).fetchall())
                held = known[query]
            digest.update(f" {parent} {held}".encode())
        made[name] = digest.hexdigest()
    return made


def _holds(source: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    """Return the query whose answer changes when what ``model`` reads of ``source`` does."""
    table = f"{source['schema']}.{source['identifier']}"
    if source["source_name"] == "in_force":
        # A view of the raw rows and the deliveries in force, whose text has the corrections.
        name = source["identifier"]
        return (
            "select count(*), max(_delivery_id), (select max(sql) from duckdb_views() where "
            f"schema_name = '{source['schema']}' and view_name = '{name}'), "
            "(select (count(*), sum(md5_number_lower(held::varchar)::hugeint)) "
            f"from control.in_force as held where source = '{name}') from raw.{name}"
        )
    only = _source_asked_for(model) if table == "control.in_force" else None
    which = f" where source = '{only}'" if only else ""
    return (
        f"select count(*), sum(md5_number_lower(held::varchar)::hugeint) from {table} held{which}"
    )


def _source_asked_for(model: Mapping[str, Any]) -> str | None:
    """Return the one source of which a model reads the deliveries in force; none where unsure."""
    code = str(model.get("raw_code", ""))
    control = {name for schema, name in model.get("sources", []) if schema == "control"}
    asked = _OF_SOURCE.findall(code)
    sure = len(_IN_FORCE.findall(code)) == len(asked) == 1 and control <= _WITHOUT_SOURCE
    return str(asked[0]) if sure else None


def last_good_build(connection: duckdb.DuckDBPyConnection) -> LastBuild | None:
    """Return the last build that succeeded, if all its tables are unchanged."""
    try:
        found = connection.execute(
            f"select fingerprints, built_at, row_counts, warned from {_TABLE}"
        ).fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):
        return None
    if len(found) != 1:
        return None
    made, built_at, rows, warned = found[0]
    last = LastBuild(json.loads(made), built_at, json.loads(rows), json.loads(warned))
    return last if table_rows(connection, last.rows) == last.rows else None


def last_warnings(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the messages of checks that warned in the last good build."""
    build = last_good_build(connection)
    said = build.warned.values() if build else []
    return list(dict.fromkeys(words for one in said for words in one))


def remember(connection: duckdb.DuckDBPyConnection, build: LastBuild) -> None:
    """Write down a build that ended well."""
    connection.execute(f"delete from {_TABLE}")
    connection.execute(
        f"insert into {_TABLE} values (?, ?, ?, ?)",
        [
            json.dumps(dict(build.fingerprints)),
            build.built_at,
            json.dumps(dict(build.rows)),
            json.dumps(dict(build.warned)),
        ],
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
