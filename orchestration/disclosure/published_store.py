"""The builds that were published, as the restricted warehouse keeps them.

``control.published_counts`` has a model of each build that disclosure control has passed: its true
counts, what it shows of them, and its equations; ``control.published_roundings`` the same of the
tables that are rounded. A model is recognised as published once a file
with the same protected tables is among the releases, and is kept from then on, for copies of that
file are out even if it is deleted here.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from orchestration.disclosure import PROTECTED
from orchestration.disclosure.declarations import Row
from orchestration.disclosure.earlier_releases import PublishedModel, from_json
from orchestration.disclosure.published_rounding import PublishedRounding, from_bytes
from orchestration.releases.release_registry import PublishedRelease
from orchestration.warehouse.sql_quoting import identifier, literal, qualified

_RELEASE = "earlier_release"
_COUNTS, _ROUNDINGS = "control.published_counts", "control.published_roundings"


def keep_model(
    connection: duckdb.DuckDBPyConnection,
    quarter: date,
    tables: Sequence[str],
    model: PublishedModel,
) -> None:
    """Keep the model of what schema ``protected`` holds: the next release of ``quarter``."""
    _keep(connection, _COUNTS, quarter, tables, model.as_json())


def keep_rounding(
    connection: duckdb.DuckDBPyConnection,
    quarter: date,
    tables: Sequence[str],
    rounding: PublishedRounding,
) -> None:
    """Keep the rounding of what schema ``protected`` holds, and forget those never published."""
    connection.execute(f"delete from {_ROUNDINGS} where not published")
    _keep(connection, _ROUNDINGS, quarter, tables, rounding.as_bytes())


def _keep(
    connection: duckdb.DuckDBPyConnection,
    store: str,
    quarter: date,
    tables: Sequence[str],
    model: str | bytes,
) -> None:
    printed = written_md5(connection, tables)
    connection.execute(
        f"insert into {store} "
        f"select $1, $2, (select coalesce(max(ordinal), 0) + 1 from {store}), false, $3, $4 "
        f"where not exists (select 1 from {store} where quarter = $1 and printed_md5 = $2)",
        [quarter, printed, json.dumps(list(tables)), model],
    )


def written_md5(connection: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> str:
    """Return the checksum of what schema ``protected`` holds of these tables."""
    names = {name: f"{identifier(PROTECTED)}.{identifier(name.split('.')[1])}" for name in tables}
    return _printed_md5(connection, names)


def models_of(
    connection: duckdb.DuckDBPyConnection, releases: Sequence[PublishedRelease]
) -> tuple[tuple[PublishedModel, ...], list[PublishedRelease]]:
    """Return the models of all builds ever published, oldest first, and the releases without one.

    What was protected and never published is forgotten.
    """
    unknown = _unrecognised(connection, _COUNTS, releases)
    connection.execute(f"delete from {_COUNTS} where not published")
    rows = connection.execute(f"select model from {_COUNTS} order by ordinal").fetchall()
    return tuple(from_json(model) for (model,) in rows), unknown


def models_published(connection: duckdb.DuckDBPyConnection) -> list[tuple[date, str]]:
    """Return the quarter and checksum of each build whose model is kept, oldest first."""
    return connection.execute(
        f"select quarter, printed_md5 from {_COUNTS} where published order by ordinal"
    ).fetchall()


def roundings_of(
    connection: duckdb.DuckDBPyConnection, releases: Sequence[PublishedRelease]
) -> dict[tuple[date, str], PublishedRounding]:
    """Return the roundings of all builds ever published, oldest first, by quarter and checksum.

    A release of an earlier version has none: nothing is known of it.
    """
    _unrecognised(connection, _ROUNDINGS, releases)
    rows = connection.execute(
        f"select quarter, printed_md5, model from {_ROUNDINGS} where published order by ordinal"
    ).fetchall()
    return {(quarter, md5): from_bytes(model) for quarter, md5, model in rows}


def _unrecognised(
    connection: duckdb.DuckDBPyConnection, store: str, releases: Sequence[PublishedRelease]
) -> list[PublishedRelease]:
    """Mark the models of releases as published; return the releases of which there is none."""
    known = connection.execute(f"select distinct quarter, tables from {store}").fetchall()
    unknown = []
    for release in releases:
        held = [json.loads(tables) for quarter, tables in known if quarter == release.quarter]
        if not any(_recognised(connection, store, release, tables) for tables in held):
            unknown.append(release)
    return unknown


def _recognised(
    connection: duckdb.DuckDBPyConnection,
    store: str,
    release: PublishedRelease,
    tables: Sequence[str],
) -> bool:
    """Mark the model of a release as published; return whether there is one."""
    with _attached(connection, release.path) as held:
        if not set(tables) <= held:
            return False
        md5 = _printed_md5(
            connection, {name: qualified(_RELEASE, *name.split(".")) for name in tables}
        )
    found = connection.execute(
        f"update {store} set published = true "
        "where quarter = ? and printed_md5 = ? returning ordinal",
        [release.quarter, md5],
    ).fetchall()
    return bool(found)


def _printed_md5(connection: duckdb.DuckDBPyConnection, tables: dict[str, str]) -> str:
    """Return the checksum of what tables print; [r], which publishing adds, is left out."""
    digest = hashlib.md5(usedforsecurity=False)
    for name, path in sorted(tables.items()):
        ((told,),) = connection.execute(
            "select md5(coalesce(string_agg(told, chr(10) order by told), '')) from ("
            "select printed::varchar as told from (select * replace ("
            f"nullif(trim(replace(status, '[r]', '')), '') as status) from {path}) as printed)"
        ).fetchall()
        digest.update(f"{name} {told}\n".encode())
    return digest.hexdigest()


def published_rows(
    connection: duckdb.DuckDBPyConnection, path: Path, tables: Collection[str]
) -> dict[str, list[Row]]:
    """Return the rows of those ``tables`` that a published file holds in their present shape."""
    with _attached(connection, path) as held:
        return {
            name: connection.sql(f"select * from {qualified(_RELEASE, *name.split('.'))}")
            .to_arrow_table()
            .to_pylist()
            for name in sorted(held & set(tables))
        }


@contextmanager
def _attached(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[set[str]]:
    """Attach a published file, and yield the names of its tables."""
    connection.execute(f"attach {literal(str(path))} as {_RELEASE} (read_only)")
    try:
        found = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where database_name = ?",
            [_RELEASE],
        ).fetchall()
        yield {name for (name,) in found}
    finally:
        connection.execute(f"detach {_RELEASE}")
