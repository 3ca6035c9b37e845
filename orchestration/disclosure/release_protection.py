"""The step between the marts and their publication: protect, write, read back, attack, record.

Protected tables are in schema ``protected`` of the restricted warehouse, under the models' names.
Publishing takes them from there. ``control.disclosure`` has one row for each quarter with what the
attack found, and says which quarter's tables the schema holds. ``control.disclosure_choices`` has
the last choice of cells by the fingerprint of its input: as long as neither tables nor earlier
releases change, it is not made again. The attack runs every time.
"""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from orchestration import __version__
from orchestration.disclosure import PROTECTED
from orchestration.disclosure.attack_verdict import Finding, Verdict, examine
from orchestration.disclosure.attacker_view import Labels, as_written, printed_counts
from orchestration.disclosure.declarations import Declaration, Row
from orchestration.disclosure.protection import hide_neighbours, protect
from orchestration.disclosure.table_assembly import (
    Contents,
    assembled,
    ordinary_labels,
    protected_rows,
    with_earlier,
    with_force,
)
from orchestration.disclosure.table_model import Protection, Tables, with_merge
from orchestration.releases.release_registry import PublishedRelease
from orchestration.warehouse.control_schema import ensure_control

_MOST_WIDENINGS = 8
"""How often what the attack worked out is hidden with its neighbours, before the run is stopped."""


@dataclass(frozen=True)
class Outcome:
    """What the step did: counts of cells, never their values; ``findings`` name cells."""

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


def disclose(
    connection: duckdb.DuckDBPyConnection,
    quarter: date,
    declared: Mapping[str, Declaration],
    releases: Sequence[PublishedRelease],
) -> Outcome:
    """Protect the declared tables of the open warehouse, attack them as written, record the result.

    ``releases`` are all that were ever published, superseded builds too: what they print is known.
    Raises :class:`DisclosureError` where tables disagree or a count cannot be protected; findings
    of the attack are returned, for the caller to stop.
    """
    started = time.monotonic()
    ensure_control(connection)
    # Until this run has passed, nothing in `protected` may be published.
    connection.execute("update control.disclosure set in_place = false")
    sources = {name: _read(connection, name) for name in declared}
    forces = _forces(connection)
    contents: dict[str, list[Row]] = {
        name: [with_force(row, forces) for row in table.to_pylist()]
        for name, table in sources.items()
    }
    labels: Labels = {
        name: ordinary_labels(rows, declared[name]) for name, rows in contents.items()
    }
    made = assembled(contents, declared)
    made = _with_releases(connection, made, quarter, declared, labels, releases, forces)
    chosen = protection = _choice(connection, quarter, made)

    def attacked(protection: Protection) -> Verdict:
        """Write the tables under a protection, read them back, and attack them."""
        written: dict[str, list[Row]] = {}
        for name, rows in contents.items():
            shown = protected_rows(name, rows, declared[name], protection)
            read_back = _write(connection, name, sources[name].schema, shown)
            written[name] = [with_force(row, forces) for row in read_back]
        return examine(protection, as_written(written, declared, protection.tables, labels))

    verdict = attacked(protection)
    if verdict.findings:
        protection = _widened(protection)
        if protection.hidden != chosen.hidden:
            verdict = attacked(protection)
    narrowest = verdict.narrowest if verdict.narrowest != float("inf") else None
    outcome = Outcome(
        tables=len(contents),
        cells=sum(cell.printed for cell in made.cells.values()),
        sensitive=sum(cell.sensitive and cell.printed for cell in made.cells.values()),
        hidden=len(protection.hidden),
        merged=len(protection.merged),
        findings=verdict.findings,
        narrowest_interval=None if narrowest is None else int(narrowest),
        information_lost=protection.cost,
        solver_gap=protection.gap,
        seconds=round(time.monotonic() - started, 3),
        hidden_after_attack=len(protection.hidden) - len(chosen.hidden),
    )
    _record(connection, quarter, outcome)
    return outcome


def _widened(protection: Protection) -> Protection:
    """Return the protection with counts hidden around what can be worked out under it.

    It comes back as it was where that does not close everything, and where the choice is safe but
    the tables were written otherwise: both are for a person to look at, and stop the run.
    """
    wider = protection
    for _ in range(_MOST_WIDENINGS):
        found = {finding.key for finding in examine(wider).findings}
        if not found:
            return wider
        more = hide_neighbours(wider, found)
        if more.hidden == wider.hidden:
            break
        wider = more
    return protection


def _read(connection: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    schema, table = name.split(".")
    return connection.sql(f'select * from "{schema}"."{table}" order by all').to_arrow_table()


def _forces(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(
        connection.execute(
            "select district_code, force_code from control.partnership_areas order by all"
        ).fetchall()
    )


def _write(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    schema: pa.Schema,
    rows: Sequence[Mapping[str, Any]],
) -> list[Row]:
    """Write a protected table and return its rows as a reader gets them."""
    _, table = name.split(".")
    target = f'"{PROTECTED}"."{table}"'
    connection.register("shown_rows", pa.Table.from_pylist(list(rows), schema=schema))
    connection.execute(f"create or replace table {target} as select * from shown_rows")
    connection.unregister("shown_rows")
    found: list[Row] = connection.sql(f"select * from {target}").to_arrow_table().to_pylist()
    return found


def _with_releases(
    connection: duckdb.DuckDBPyConnection,
    made: Tables,
    quarter: date,
    declared: Mapping[str, Declaration],
    labels: Labels,
    releases: Sequence[PublishedRelease],
    forces: Mapping[str, str],
) -> Tables:
    """Fix what releases print. A release of the same quarter, which this one is to replace, binds
    the choice of what to hide for others' sake, but does not keep a leak open."""
    for release in releases:
        known: dict[str, int] = {}
        for name, rows in _published(connection, release.path, declared).items():
            told = [with_force(row, forces) for row in rows]
            known |= printed_counts(told, declared[name], labels[name])
        if release.quarter == quarter:
            known = {
                key: value
                for key, value in known.items()
                if key not in made.cells or not made.cells[key].sensitive
            }
        made = with_earlier(made, known)
    return made


def _published(
    connection: duckdb.DuckDBPyConnection, path: Path, declared: Mapping[str, Declaration]
) -> Contents:
    """Return the declared tables that a published file holds in their present shape."""
    quoted = str(path).replace("'", "''")
    connection.execute(f"attach '{quoted}' as current_release (read_only)")
    try:
        there = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where database_name = 'current_release'"
        ).fetchall()
        found = {}
        for name in sorted(declared.keys() & {name for (name,) in there}):
            schema, table = name.split(".")
            found[name] = (
                connection.sql(f'select * from current_release."{schema}"."{table}"')
                .to_arrow_table()
                .to_pylist()
            )
        return found
    finally:
        connection.execute("detach current_release")


def _choice(connection: duckdb.DuckDBPyConnection, quarter: date, made: Tables) -> Protection:
    """Return the choice of cells; the stored one if nothing has changed since."""
    fingerprint = _fingerprint(made)
    found = connection.execute(
        "select hidden, merged, cost, bound from control.disclosure_choices "
        "where quarter = ? and input_sha256 = ?",
        [quarter, fingerprint],
    ).fetchall()
    if found:
        ((hidden, merged, cost, bound),) = found
        return _repeated(made, json.loads(hidden), json.loads(merged), cost, bound)
    protection = protect(made)
    labels = {name: option.label for name, option in protection.merged.items()}
    connection.execute(
        "insert or replace into control.disclosure_choices values (?, ?, ?, ?, ?, ?)",
        [
            quarter,
            fingerprint,
            json.dumps(sorted(protection.hidden)),
            json.dumps(labels, sort_keys=True),
            protection.cost,
            protection.bound,
        ],
    )
    return protection


def _fingerprint(made: Tables) -> str:
    digest = hashlib.sha256(__version__.encode())
    for cell in sorted(made.cells.values(), key=lambda cell: cell.key):
        digest.update(repr(cell).encode())
    for part in (*made.relations, *made.merges):
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
    values = asdict(replace(outcome, findings=()))
    values["findings"] = len(outcome.findings)
    columns = ", ".join(values)
    marks = ", ".join("?" for _ in values)
    connection.execute(
        f"insert or replace into control.disclosure (quarter, in_place, {columns}) "
        f"values (?, true, {marks})",
        [quarter, *values.values()],
    )
