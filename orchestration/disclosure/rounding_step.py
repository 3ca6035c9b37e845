"""Rounds the tables that declare it, each set of linked ones by itself, beside the protected ones.

What is written stays as long as nothing changes that it follows from: the same input gives the same
rounding, which the attack has passed. ``control.rounding`` has a keyed checksum of that for each
set of tables, with the outcome.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cached_property

import duckdb
import pyarrow as pa

from orchestration import __version__
from orchestration.disclosure import PROTECTED
from orchestration.disclosure.declarations import Row
from orchestration.disclosure.earlier_releases import PublishedModel, published_model
from orchestration.disclosure.linked_tables import (
    Names,
    ProtectedLinks,
    as_bytes,
    counts_digest,
    from_bytes,
    linked,
    links_digest,
    names_in,
    narrowed,
    number_of,
    protected_links,
)
from orchestration.disclosure.protected_tables import read_table, write_shown
from orchestration.disclosure.published_rounding import PublishedRounding
from orchestration.disclosure.published_store import (
    RoundedBuild,
    forget_roundings,
    keep_rounding,
    rounded_builds,
    rounding_of,
    written_md5,
)
from orchestration.disclosure.release_rounding import (
    SWITCHED_OFF,
    RoundingOutcome,
    round_tables,
    taken_over,
)
from orchestration.disclosure.rounding_cube import Cube, collected
from orchestration.disclosure.rounding_declarations import RoundedDeclaration
from orchestration.disclosure.rounding_system import Beside
from orchestration.disclosure.table_assembly import Wholes, with_wholes
from orchestration.disclosure.table_model import Protection, Publication, Tables
from orchestration.errors import DisclosureError
from orchestration.releases.release_registry import PublishedRelease
from orchestration.warehouse.rows_digest import rows_digest
from orchestration.warehouse.sql_quoting import identifier, qualified


@dataclass(frozen=True)
class ProtectedSide:
    """The protected tables of a run: ``own`` without those of earlier releases.

    ``models`` are of the builds that were published, ``printed`` what builds without a model show.
    """

    own: Tables
    protection: Protection
    published: Publication
    models: Sequence[PublishedModel]
    printed: Sequence[Mapping[str, int]]

    @cached_property
    def beside(self) -> Beside:
        """What the rounded tables are attacked beside, without their own earlier builds."""
        return Beside(self.protection.tables.cells, self.protection.hidden, self.published)

    @cached_property
    def links(self) -> ProtectedLinks:
        """How the protected counts are linked."""
        return protected_links(self.beside)

    @cached_property
    def own_model(self) -> PublishedModel:
        """What readers will know of this build."""
        return published_model(self.own, self.protection, self.published)


@dataclass(frozen=True)
class _Step:
    """All that the rounding of a quarter follows from, and where it is written."""

    connection: duckdb.DuckDBPyConnection
    quarter: date
    wholes: Wholes
    side: ProtectedSide
    secret: bytes
    read: Mapping[str, pa.Table]
    declared: Mapping[str, RoundedDeclaration]
    builds: Sequence[RoundedBuild]
    contents: dict[str, list[Row]] = field(default_factory=dict)
    cubes: dict[str, Cube] = field(default_factory=dict)

    @cached_property
    def digests(self) -> dict[str, str]:
        """Return a keyed checksum of the rows and the declaration of each table."""
        return {
            name: self._keyed(
                name, self.declared[name], table.schema, self.wholes, self._rows_digest(name)
            )
            for name, table in self.read.items()
        }

    def _rows_digest(self, name: str) -> tuple[int, int | None]:
        columns = [identifier(column) for column in self.read[name].column_names]
        return rows_digest(self.connection, qualified(*name.split(".")), columns)

    def rows(self, name: str) -> list[Row]:
        """Return the rows of a table, with the areas that theirs add up to."""
        if name not in self.contents:
            listed = self.read[name].to_pylist()
            self.contents[name] = [with_wholes(row, self.wholes) for row in listed]
        return self.contents[name]

    @cached_property
    def names(self) -> dict[str, Names]:
        """Return what each table names; of one that has not changed, what was kept."""
        connection = self.connection
        kept = {
            (table, digest): names
            for table, digest, names in connection.execute(
                "select table_name, input_sha256, names from control.rounding_names"
            ).fetchall()
        }
        found: dict[str, Names] = {}
        for name, digest in self.digests.items():
            if (name, digest) in kept:
                found[name] = from_bytes(kept[name, digest])
                continue
            found[name] = names_in(self.cube(name))
            connection.execute("delete from control.rounding_names where table_name = ?", [name])
            connection.execute(
                "insert into control.rounding_names values (?, ?, ?)",
                [name, digest, as_bytes(found[name])],
            )
        return found

    def cube(self, name: str) -> Cube:
        """Return what a table names. Raises :class:`DisclosureError` where it disagrees."""
        if name not in self.cubes:
            self.cubes[name] = collected(name, self.rows(name), self.declared[name])
        return self.cubes[name]

    def let_go(self, tables: Sequence[str]) -> None:
        """Let go of what was read of these tables, which takes much memory."""
        for name in tables:
            self.contents.pop(name, None)
            self.cubes.pop(name, None)

    def fingerprint(self, tables: Sequence[str]) -> str:
        """Return a keyed checksum of all that the rounding of ``tables`` follows from.

        That this very build was published is no change.
        """
        counts = self.counts_beside(tables)
        own = counts_digest(self.side.own_model, counts)
        models = {counts_digest(model, counts) for model in self.side.models} - {own}
        builds = {build.identity for build in self.earlier(tables)} - self._written(tables)
        return self._keyed(
            self.quarter,
            [(name, self.digests[name]) for name in tables],
            own,
            links_digest(self.side.own, counts),
            sorted(models),
            sorted(builds),
            [sorted(printed.items()) for printed in self.side.printed],
        )

    def counts_beside(self, tables: Sequence[str]) -> frozenset[str]:
        """Return the counts of the protected tables that are linked with these rounded ones."""
        return self.side.links.beside(frozenset().union(*(self.names[name] for name in tables)))

    def earlier(self, tables: Sequence[str]) -> list[RoundedBuild]:
        """Return the published builds that have one of these tables, oldest first."""
        return [build for build in self.builds if not build.tables.isdisjoint(tables)]

    def identity(self, tables: Sequence[str]) -> tuple[date, str]:
        """Return the name under which what schema ``protected`` holds of ``tables`` is kept."""
        return self.quarter, written_md5(self.connection, tables)

    def _written(self, tables: Sequence[str]) -> set[tuple[date, str]]:
        """Return that name, or nothing where a table is new and not written yet."""
        found = self.connection.execute(
            "select table_name from duckdb_tables() where schema_name = ? "
            "and database_name = current_database()",
            [PROTECTED],
        ).fetchall()
        held = {name for (name,) in found}
        there = all(name.split(".")[1] in held for name in tables)
        return {self.identity(tables)} if there else set()

    def _keyed(self, *values: object) -> str:
        told = repr((__version__, *values)).encode()
        return hmac.new(self.secret, told, hashlib.sha256).hexdigest()


def round_beside(
    connection: duckdb.DuckDBPyConnection,
    quarter: date,
    declared: Mapping[str, RoundedDeclaration],
    releases: Sequence[PublishedRelease],
    wholes: Wholes,
    side: ProtectedSide,
    secret: bytes,
) -> RoundingOutcome:
    """Round the ``declared`` tables and write them beside the protected ones.

    ``releases`` are all that were ever published: what they show is known. Returns the outcome of
    all tables together. A set of linked tables of which no rounding protects every count, or whose
    tables disagree, is withheld: its tables are written without rows.
    """
    read = {name: read_table(connection, name) for name in declared}
    builds = rounded_builds(connection, releases)
    step = _Step(connection, quarter, wholes, side, secret, read, declared, builds)
    sets = _sets(step)
    fingerprints = {tables: step.fingerprint(tables) for tables in sets}
    kept = _kept(connection, list(fingerprints.values()))
    standing = {tables for tables in sets if fingerprints[tables] in kept}
    forget_roundings(connection, {step.identity(tables) for tables in standing})
    outcomes = [
        kept[fingerprints[tables]]
        if tables in standing
        else _rounded(step, tables, fingerprints[tables])
        for tables in sets
    ]
    return _together(outcomes)


def leave_out(
    connection: duckdb.DuckDBPyConnection, declared: Mapping[str, RoundedDeclaration]
) -> RoundingOutcome:
    """Withhold the tables that would be rounded: write them without rows."""
    connection.execute("delete from control.rounding")
    for name in declared:
        write_shown(connection, name, read_table(connection, name).schema, [])
    return RoundingOutcome(withheld=dict.fromkeys(declared, SWITCHED_OFF))


def _sets(step: _Step) -> list[tuple[str, ...]]:
    """Return the tables in sets of linked ones; all of them together where one disagrees."""
    try:
        names = step.names
    except DisclosureError:
        return [tuple(sorted(step.read))]
    links: list[Names] = [frozenset(map(number_of, counts)) for counts in step.side.links.sets]
    sets = linked(names, links)
    # Groups that an earlier build rounded together link its tables, where it has several sets.
    spanning = [
        build
        for build in step.builds
        if sum(not build.tables.isdisjoint(tables) for tables in sets) > 1
    ]
    for build in spanning:
        links += _groups_of(rounding_of(step.connection, build))
    return linked(names, links) if spanning else sets


def _groups_of(rounding: PublishedRounding) -> list[Names]:
    members: dict[str, set[int]] = {}
    for key, group in rounding.groups.items():
        members.setdefault(group, set()).add(number_of(key))
    return list(members.values())


def _kept(
    connection: duckdb.DuckDBPyConnection, fingerprints: Sequence[str]
) -> dict[str, RoundingOutcome]:
    """Return the outcomes of what is written and is of these very inputs; forget all others."""
    connection.execute(
        "delete from control.rounding where not list_contains(?::varchar[], input_sha256)",
        [list(fingerprints)],
    )
    rows = connection.execute("select input_sha256, outcome from control.rounding").fetchall()
    return {fingerprint: RoundingOutcome(**json.loads(told)) for fingerprint, told in rows}


def _rounded(step: _Step, tables: Sequence[str], fingerprint: str) -> RoundingOutcome:
    connection = step.connection
    beside = narrowed(step.side.beside, step.counts_beside(tables))
    earlier = [rounding_of(connection, build) for build in step.earlier(tables)]
    outcome, shown, build = round_tables(
        {name: step.read[name].schema for name in tables},
        {name: step.rows(name) for name in tables},
        {name: step.declared[name] for name in tables},
        map(step.cube, tables),
        taken_over(step.side.protection),
        Beside(beside.cells, beside.hidden, beside.published, earlier),
        {},
        step.secret,
    )
    step.let_go(tables)
    for name in tables:
        write_shown(connection, name, step.read[name].schema, shown.get(name, []))
    if build is not None:
        keep_rounding(connection, step.quarter, tables, build)
    written = json.dumps({**asdict(outcome), "withheld": dict(outcome.withheld)})
    connection.execute("insert into control.rounding values (?, ?)", [fingerprint, written])
    return outcome


def _together(outcomes: Sequence[RoundingOutcome]) -> RoundingOutcome:
    """Return the outcome of all sets of tables."""
    withheld = {name: reason for one in outcomes for name, reason in one.withheld.items()}
    return RoundingOutcome(
        tables=sum(one.tables for one in outcomes),
        counts=sum(one.counts for one in outcomes),
        rounded=sum(one.rounded for one in outcomes),
        hidden=sum(one.hidden for one in outcomes),
        withheld=withheld,
        seconds=round(sum(one.seconds for one in outcomes), 3),
        given_away=sum(one.given_away for one in outcomes),
    )
