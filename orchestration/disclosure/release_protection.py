"""The step between the marts and their publication: protect, write, read back, attack, record.

Protected tables are in schema ``protected`` of the restricted warehouse, under the models' names.
Publishing takes them from there. ``control.disclosure`` has one row for each quarter with what the
attack found, and says which quarter's tables the schema holds; ``control.withheld_tables`` those
that are left out. ``control.hiding_choices`` has the choices of cells by the fingerprint of their
input: as long as neither tables nor earlier releases change, none is made again. The attack runs
every time.
"""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date

import duckdb
import pyarrow as pa

from orchestration import __version__
from orchestration.disclosure.attack_verdict import Finding, Verdict, examine
from orchestration.disclosure.attacker_view import Labels, as_written, printed_counts
from orchestration.disclosure.declarations import Declaration, Row
from orchestration.disclosure.earlier_releases import (
    NOTHING,
    GivenAway,
    PublishedModel,
    given_away,
    published_model,
    with_releases,
)
from orchestration.disclosure.protected_tables import read_table, write_shown
from orchestration.disclosure.protection import hide_neighbours, protect, with_draws
from orchestration.disclosure.published_store import (
    keep_model,
    models_of,
    published_rows,
)
from orchestration.disclosure.release_rounding import RoundingOutcome
from orchestration.disclosure.rounding_declarations import RoundedDeclaration
from orchestration.disclosure.rounding_step import ProtectedSide, leave_out, round_beside
from orchestration.disclosure.table_assembly import (
    Contents,
    Wholes,
    assembled,
    ordinary_labels,
    protected_rows,
    with_earlier,
    with_wholes,
)
from orchestration.disclosure.table_model import Protection, Publication, Tables, with_merge
from orchestration.disclosure.withholding import WITHHELD, tables_behind
from orchestration.errors import DisclosureError, UnpublishableCountError
from orchestration.releases.release_registry import PublishedRelease
from orchestration.warehouse.control_schema import ensure_control

_MOST_WIDENINGS = 8
"""How often what the attack works out is hidden with its neighbours, before tables are withheld."""


@dataclass(frozen=True)
class Outcome:
    """What the step did: counts of cells, never their values; ``findings`` name cells.

    ``withheld`` has the tables that are left out of the release, with the reason;
    ``still_readable`` counts the small counts that earlier releases give away.
    """

    tables: int
    cells: int
    sensitive: int
    hidden: int
    merged: int
    findings: tuple[Finding, ...]
    narrowest_interval: int | None
    information_lost: int
    solver_gap: float
    seconds: float
    hidden_after_attack: int
    still_readable: int = 0
    withheld: Mapping[str, str] = field(default_factory=dict)
    rounded_tables: int = 0
    rounded_counts: int = 0


@dataclass(frozen=True)
class _Given:
    """The tables as the marts have them, and what was published before.

    ``models`` are of the builds that the warehouse knows; of the others ``printed`` has the counts
    that they show, and whether they are of the same quarter.
    """

    connection: duckdb.DuckDBPyConnection
    quarter: date
    declared: Mapping[str, Declaration]
    contents: Contents
    schemas: Mapping[str, pa.Schema]
    labels: Labels
    wholes: Wholes
    models: tuple[PublishedModel, ...]
    printed: tuple[tuple[bool, Mapping[str, int]], ...]
    secret: bytes


@dataclass(frozen=True)
class _Result:
    """The tables of a run, protected and attacked: ``own`` without those of earlier releases."""

    own: Tables
    chosen: Protection
    protection: Protection
    verdict: Verdict
    published: Publication


def disclose(
    connection: duckdb.DuckDBPyConnection,
    quarter: date,
    declared: Mapping[str, Declaration],
    releases: Sequence[PublishedRelease],
    rounded: Mapping[str, RoundedDeclaration] | None = None,
    secret: bytes = b"",
    *,
    publish_rounded: bool = True,
) -> Outcome:
    """Protect the declared tables of the open warehouse, attack them as written, record the result.

    ``releases`` are all that were ever published, superseded builds too: what they print is known.
    What it costs to hide a count has a draw that follows from ``secret``. Then the tables of
    ``rounded`` are rounded, with draws that follow from it too, and attacked beside the others;
    without ``publish_rounded`` they are withheld.
    A table of which no choice protects a count is withheld: it is written without rows. Raises
    :class:`DisclosureError` where a declaration is wrong; findings of the attack are returned, for
    the caller to stop.
    """
    started = time.monotonic()
    ensure_control(connection)
    # Until this run has passed, nothing in `protected` may be published.
    connection.execute("update control.disclosure set in_place = false")
    given = _given(connection, quarter, declared, releases, secret)
    found, withheld = _protected(given)
    keep_model(
        connection,
        quarter,
        sorted(declared),
        published_model(found.own, found.protection, found.published),
    )
    rounding = RoundingOutcome()
    if rounded and not found.verdict.findings:
        side = ProtectedSide(
            found.own,
            found.protection,
            found.published,
            given.models,
            [printed for _, printed in given.printed],
        )
        rounding = (
            round_beside(connection, quarter, rounded, releases, given.wholes, side, secret)
            if publish_rounded
            else leave_out(connection, rounded)
        )
        withheld |= rounding.withheld
    narrowest = found.verdict.narrowest
    cells = found.protection.tables.cells
    outcome = Outcome(
        tables=len(given.contents) + len(rounded or {}) - len(withheld),
        cells=sum(cell.printed for cell in found.own.cells.values()),
        sensitive=sum(cell.small and cell.printed for cell in found.own.cells.values()),
        hidden=len(found.protection.hidden),
        merged=len(found.protection.merged),
        findings=found.verdict.findings,
        narrowest_interval=None if narrowest in (None, float("inf")) else int(narrowest or 0),
        information_lost=found.protection.cost,
        solver_gap=found.protection.gap,
        seconds=round(time.monotonic() - started, 3),
        hidden_after_attack=len(found.protection.hidden) - len(found.chosen.hidden),
        still_readable=sum(
            cell.small and (cell.readable or cell.marked_below > 0) for cell in cells.values()
        )
        + rounding.given_away,
        withheld=withheld,
        rounded_tables=rounding.tables,
        rounded_counts=rounding.rounded,
    )
    _record(connection, quarter, outcome)
    return outcome


def _given(
    connection: duckdb.DuckDBPyConnection,
    quarter: date,
    declared: Mapping[str, Declaration],
    releases: Sequence[PublishedRelease],
    secret: bytes,
) -> _Given:
    sources = {name: read_table(connection, name) for name in declared}
    wholes = _wholes(connection)
    contents: dict[str, list[Row]] = {
        name: [with_wholes(row, wholes) for row in table.to_pylist()]
        for name, table in sources.items()
    }
    labels: Labels = {
        name: ordinary_labels(rows, declared[name]) for name, rows in contents.items()
    }
    models, unknown = models_of(connection, releases)
    printed = tuple(
        (
            release.quarter == quarter,
            _printed(connection, release, declared, labels, wholes, sources),
        )
        for release in unknown
    )
    schemas = {name: table.schema for name, table in sources.items()}
    return _Given(
        connection, quarter, declared, contents, schemas, labels, wholes, models, printed, secret
    )


def _protected(given: _Given) -> tuple[_Result, dict[str, str]]:
    """Protect and attack the tables; where that fails for a count, withhold its tables.

    What earlier releases give away by themselves is no reason: nothing that is withheld now takes
    it back.
    """
    withheld: dict[str, str] = {}
    away: GivenAway | None = None if given.models else NOTHING
    while True:
        contents = {name: rows for name, rows in given.contents.items() if name not in withheld}
        result: _Result | None = None
        fault: DisclosureError | None = None
        try:
            result = _attempt(given, contents, away or NOTHING)
            failing = _open_counts(result)
        except UnpublishableCountError as error:
            failing, fault = {error.key}, error
        if result is not None and not failing:
            # Findings in tables that were not written as chosen are for the caller to stop.
            return result, withheld
        if away is None:
            away = _given_away(given, contents)
            if away:
                continue
        more = tables_behind(failing, contents, given.declared)
        if not more:
            if result is not None:
                return result, withheld
            assert fault is not None
            raise fault
        withheld |= dict.fromkeys(more, WITHHELD)


def _attempt(given: _Given, contents: Contents, away: GivenAway) -> _Result:
    """Protect these contents beside all earlier releases, write them, and attack what is there."""
    own = assembled(contents, given.declared)
    made = with_releases(own, given.models, away)
    for same_quarter, printed in given.printed:
        made = with_earlier(made, _binding(made, printed) if same_quarter else printed)
    chosen = protection = _choice(given.connection, given.quarter, with_draws(made, given.secret))
    published = _written(given, contents, protection)
    verdict = examine(protection, published)
    if verdict.findings and not _forgotten(protection, published):
        protection = _widened(given, contents, protection, verdict)
        if protection.hidden != chosen.hidden:
            published = _written(given, contents, protection)
            verdict = examine(protection, published)
    return _Result(own, chosen, protection, verdict, published)


def _binding(made: Tables, printed: Mapping[str, int]) -> dict[str, int]:
    """Return what a build that is replaced now binds: it does not keep a leak of its own open."""
    return {
        key: value
        for key, value in printed.items()
        if key not in made.cells or not made.cells[key].small
    }


def _written(given: _Given, contents: Contents, protection: Protection) -> Publication:
    """Write the tables under a protection, and return what a reader of them knows.

    A table that is withheld is written without rows.
    """
    written: dict[str, list[Row]] = {}
    for name, schema in given.schemas.items():
        rows = contents.get(name, [])
        shown = protected_rows(name, rows, given.declared[name], protection)
        read_back = write_shown(given.connection, name, schema, shown)
        written[name] = [with_wholes(row, given.wholes) for row in read_back]
    return as_written(written, given.declared, protection.tables, given.labels)


def _open_counts(result: _Result) -> set[str]:
    """Return the counts that the attack works out although the tables were written as chosen."""
    if _forgotten(result.protection, result.published):
        return set()
    return {finding.key for finding in result.verdict.findings}


def _forgotten(protection: Protection, published: Publication) -> bool:
    """Whether a hidden count was written all the same.

    That is a fault of the product: no reason to hide more or to withhold a table, but to stop.
    """
    cells, bounds = protection.tables.cells, published.bounds
    return any(
        bounds[key][0] == bounds[key][1] and not cells[key].fixed for key in protection.hidden
    )


def _given_away(given: _Given, contents: Contents) -> GivenAway | None:
    """Return what earlier releases give away by themselves; none where the tables disagree."""
    try:
        own = assembled(contents, given.declared)
    except UnpublishableCountError:
        return None
    return given_away(own, given.models, _found)


def _found(alone: Tables) -> frozenset[str]:
    """Return the cells that the attack works out in tables of which nothing is to be printed."""
    return frozenset(finding.key for finding in examine(Protection(alone, frozenset())).findings)


def _widened(
    given: _Given, contents: Contents, protection: Protection, verdict: Verdict
) -> Protection:
    """Return the protection with counts hidden around what can be worked out under it.

    It comes back as it was where that does not close everything.
    """
    wider = protection
    for _ in range(_MOST_WIDENINGS):
        more = hide_neighbours(wider, {finding.key for finding in verdict.findings})
        if more.hidden == wider.hidden:
            break
        wider = more
        verdict = examine(wider, _seen(given, contents, wider))
        if not verdict.findings:
            return wider
    return protection


def _seen(given: _Given, contents: Contents, protection: Protection) -> Publication:
    """Return what readers would know of the contents under a protection."""
    shown = {
        name: protected_rows(name, rows, given.declared[name], protection)
        for name, rows in contents.items()
    }
    return as_written(shown, given.declared, protection.tables, given.labels)


def _wholes(connection: duckdb.DuckDBPyConnection) -> Wholes:
    districts = connection.execute(
        "select area_code, force_code, partnership_code from intermediate.int_areas__listed "
        "where area_type = 'district' order by all"
    ).fetchall()
    return Wholes(
        {code: force for code, force, _ in districts},
        {code: whole for code, _, whole in districts if whole not in (None, code)},
    )


def _printed(
    connection: duckdb.DuckDBPyConnection,
    release: PublishedRelease,
    declared: Mapping[str, Declaration],
    labels: Labels,
    wholes: Wholes,
    sources: Mapping[str, pa.Table],
) -> dict[str, int]:
    """Return what a build prints of which the warehouse keeps no model (an earlier version's)."""
    known: dict[str, int] = {}
    for name, rows in published_rows(connection, release.path, declared).items():
        # An earlier version may not have had all columns.
        columns = dict.fromkeys(sources[name].column_names)
        told = [with_wholes({**columns, **row}, wholes) for row in rows]
        known |= printed_counts(told, declared[name], labels[name])
    return known


def _choice(connection: duckdb.DuckDBPyConnection, quarter: date, made: Tables) -> Protection:
    """Return the choice of cells; the stored one if nothing has changed since."""
    fingerprint = _fingerprint(made)
    found = connection.execute(
        "select hidden, merged, cost, bound, unprotected from control.hiding_choices "
        "where quarter = ? and input_sha256 = ?",
        [quarter, fingerprint],
    ).fetchall()
    if found:
        ((hidden, merged, cost, bound, unprotected),) = found
        if unprotected is not None:
            raise UnpublishableCountError(f"{unprotected} cannot be protected.", unprotected)
        return _repeated(made, json.loads(hidden), json.loads(merged), cost, bound)
    try:
        protection = protect(made)
    except UnpublishableCountError as error:
        _keep_choice(connection, quarter, fingerprint, Protection(made, frozenset()), error.key)
        raise
    _keep_choice(connection, quarter, fingerprint, protection, None)
    return protection


def _keep_choice(
    connection: duckdb.DuckDBPyConnection,
    quarter: date,
    fingerprint: str,
    protection: Protection,
    unprotected: str | None,
) -> None:
    """Keep a choice, or the key of the count for which there is none."""
    labels = {name: option.label for name, option in protection.merged.items()}
    connection.execute(
        "delete from control.hiding_choices where quarter = ? and input_sha256 = ?",
        [quarter, fingerprint],
    )
    connection.execute(
        "insert into control.hiding_choices values (?, ?, ?, ?, ?, ?, ?)",
        [
            quarter,
            fingerprint,
            json.dumps(sorted(protection.hidden)),
            json.dumps(labels, sort_keys=True),
            protection.cost,
            protection.bound,
            unprotected,
        ],
    )


def _fingerprint(made: Tables) -> str:
    digest = hashlib.sha256(__version__.encode())
    for cell in sorted(made.cells.values(), key=lambda cell: cell.key):
        digest.update(repr(cell).encode())
    for part in (*made.relations, *made.merges, *made.known_ratios):
        digest.update(repr(part).encode())
    return digest.hexdigest()


def _repeated(
    made: Tables, hidden: Sequence[str], merged: Mapping[str, str], cost: int, bound: int
) -> Protection:
    options = {}
    for merge in made.merges:
        for option in merge.options:
            if merged.get(merge.name) == option.label:
                made = with_merge(made, option)
                options[merge.name] = option
    return Protection(made, frozenset(hidden), options, cost, bound)


def _record(connection: duckdb.DuckDBPyConnection, quarter: date, outcome: Outcome) -> None:
    values = asdict(replace(outcome, findings=(), withheld={}))
    values["findings"] = len(outcome.findings)
    del values["withheld"]
    columns = ", ".join(values)
    marks = ", ".join("?" for _ in values)
    connection.execute("delete from control.withheld_tables where quarter = ?", [quarter])
    for name, reason in outcome.withheld.items():
        connection.execute(
            "insert into control.withheld_tables values (?, ?, ?)", [quarter, name, reason]
        )
    connection.execute("delete from control.disclosure where quarter = ?", [quarter])
    connection.execute(
        f"insert into control.disclosure (quarter, in_place, {columns}) values (?, true, {marks})",
        [quarter, *values.values()],
    )
