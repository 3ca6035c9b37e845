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
from dataclasses import dataclass
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
    """Keep the rounding of what schema ``protected`` holds of these tables."""
    _keep(connection, _ROUNDINGS, quarter, tables, rounding.as_bytes())


def forget_roundings(
    connection: duckdb.DuckDBPyConnection, but: Collection[tuple[date, str]]
) -> None:
    """Forget the roundings that were never published, ``but`` these (quarter, checksum)."""
    kept = connection.execute(
        f"select quarter, printed_md5 from {_ROUNDINGS} where not published"
    ).fetchall()
    for quarter, md5 in kept:
        if (quarter, md5) not in but:
            connection.execute(
                f"delete from {_ROUNDINGS} where quarter = ? and printed_md5 = ?", [quarter, md5]
            )


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


@dataclass(frozen=True)
class RoundedBuild:
    """A published build of rounded tables: its quarter, the checksum of what it prints, and these
    tables."""

    quarter: date
    printed_md5: str
    tables: frozenset[str]

    @property
    def identity(self) -> tuple[date, str]:
        """Quarter and checksum, by which it is kept."""
        return self.quarter, self.printed_md5


def rounded_builds(
    connection: duckdb.DuckDBPyConnection, releases: Sequence[PublishedRelease]
) -> list[RoundedBuild]:
    """Return the builds of rounded tables ever published, oldest first.

    A release of an earlier version has none: nothing is known of it.
    """
    _unrecognised(connection, _ROUNDINGS, releases)
    rows = connection.execute(
        f"select quarter, printed_md5, tables from {_ROUNDINGS} where published order by ordinal"
    ).fetchall()
    return [
        RoundedBuild(quarter, md5, frozenset(json.loads(tables))) for quarter, md5, tables in rows
    ]


def rounding_of(connection: duckdb.DuckDBPyConnection, build: RoundedBuild) -> PublishedRounding:
    """Return what is kept of a build of rounded tables."""
    ((model,),) = connection.execute(
        f"select model from {_ROUNDINGS} where quarter = ? and printed_md5 = ?",
        list(build.identity),
    ).fetchall()
    return from_bytes(model)


def _unrecognised(
    connection: duckdb.DuckDBPyConnection, store: str, releases: Sequence[PublishedRelease]
) -> list[PublishedRelease]:
    """Mark the models of releases as published; return the releases of which there is none."""
    known = connection.execute(f"select distinct quarter, tables from {store}").fetchall()
    unknown = []
    for release in releases:
        held = [json.loads(tables) for quarter, tables in known if quarter == release.quarter]
        if not (held and _recognised(connection, store, release, held)):
            unknown.append(release)
    return unknown


def _recognised(
    connection: duckdb.DuckDBPyConnection,
    store: str,
    release: PublishedRelease,
    kept: Sequence[Sequence[str]],
) -> bool:
    """Mark what is kept of a release as published; return whether anything is.

    ``kept`` are the sets of tables of which there is something.
    """
    found = [
        connection.execute(
            f"update {store} set published = true "
            "where quarter = ? and printed_md5 = ? returning ordinal",
            [release.quarter, md5],
        ).fetchall()
        for md5 in _prints(connection, release, kept)
    ]
    return any(found)


def _prints(
    connection: duckdb.DuckDBPyConnection,
    release: PublishedRelease,
    kept: Sequence[Sequence[str]],
) -> list[str]:
    """Return the checksums of what a release prints, of each set of tables that it holds.

    The release is read once for each set: it is never written again.
    """
    known = dict(
        connection.execute(
            "select tables, printed_md5 from control.release_prints "
            "where (quarter, built_at, content_digest) = (?, ?, ?)",
            list(release.identity),
        ).fetchall()
    )
    if fresh := [tables for tables in kept if json.dumps(tables) not in known]:
        with _attached(connection, release.path) as there:
            for tables in fresh:
                paths = {name: qualified(_RELEASE, *name.split(".")) for name in tables}
                md5 = _printed_md5(connection, paths) if set(tables) <= there else None
                known[json.dumps(tables)] = md5
                connection.execute(
                    "insert into control.release_prints values (?, ?, ?, ?, ?)",
                    [*release.identity, json.dumps(tables), md5],
                )
    return [md5 for tables in kept if (md5 := known[json.dumps(tables)])]


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
