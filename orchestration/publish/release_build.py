"""Builds a release: copies, describes, checks and compares it, and only then puts it in place.

``published/<quarter>/csp.duckdb`` is the release of a quarter, ``published/csp.duckdb`` the
current one: the newest quarter's. Whoever calls this holds the writer lock and has no connection
to the warehouse open.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from orchestration import __version__
from orchestration.config.quarters import parse_quarter, quarter_label
from orchestration.publish.errors import (
    CatalogueError,
    UnsafeTableError,
    VerificationError,
    WrongQuarterError,
)
from orchestration.publish.joins import JOINS
from orchestration.publish.metrics import METRICS, Metric
from orchestration.publish.public_audit import AUDIT_TABLES, audit_reports
from orchestration.publish.published_tables import PublishedTable, refuse_unsafe
from orchestration.publish.release_comparison import changed_tables, content_digest
from orchestration.publish.release_contents import (
    ABOUT_TABLES,
    DATA_UP_TO,
    DICTIONARY,
    REPORT_METADATA,
    SCHEMA_VERSION,
    SOURCES,
    TABLES,
    WAREHOUSE,
    SourceDescription,
    choose_sources,
    copy_tables,
    count_rows,
    deliveries_of_quarter,
    write_audit,
    write_comments,
    write_data_up_to,
    write_descriptions,
    write_joins,
    write_methods,
    write_metrics,
    write_reflection_type,
    write_release,
    write_report_metadata,
    write_sources,
)
from orchestration.publish.report_declarations import DeclaredReport
from orchestration.publish.revisions import CHANGES, IN_FORCE, write_changes, write_in_force
from orchestration.publish.schema_compatibility import refuse_schema_change
from orchestration.publish.withheld_tables import noted, withheld_tables, without_rows
from orchestration.releases.errors import PublishError
from orchestration.releases.published_file import (
    CATALOGUE,
    PUBLISHED_FILE,
    SPILL,
    attach_read_only,
    engine,
    open_release,
)
from orchestration.releases.release_registry import (
    keep_superseded,
    newest_release,
    read_release,
    release_before,
    settle_current,
)
from orchestration.releases.restricted_edition import write_mark
from orchestration.warehouse.atomic_file import log_beside, place, scratch_folder
from orchestration.warehouse.connection import (
    AttachLake,
    damaged,
    is_damage,
    is_refused_by_disk,
)
from orchestration.warehouse.sql_quoting import identifier, literal

STORAGE_VERSION = "v1.0.0"
"""Storage format of published files. It is the oldest that DuckDB 1.5 writes; DuckDB 0.10 and
every later version read it (v1.2.0 and on are refused by 1.0 and 1.1 clients)."""

_STANDING = "standing"
"""Name under which the existing release is attached while it is compared."""


@dataclass(frozen=True)
class Release:
    """What came of publishing a quarter.

    ``path`` is the quarter's file and ``current_path`` the current one. ``changed`` is false where
    the quarter's file held the same already and was left untouched; ``changed_tables`` names what
    differed. ``current_replaced`` says whether the current file was put in place or restored, and
    ``is_current`` whether this quarter is the current one. ``built_at`` (UTC) is of the file in
    place. ``row_counts`` has the rows of each table, by full name.
    """

    quarter: date
    path: Path
    current_path: Path
    changed: bool
    changed_tables: tuple[str, ...]
    current_replaced: bool
    is_current: bool
    synthetic: bool
    built_at: datetime
    content_digest: str
    row_counts: Mapping[str, int]
    data_up_to: date | None


@dataclass(frozen=True)
class _Before:
    """What the new file is compared with: the release of the quarter before, the one that stands
    for this quarter, and the newest, whose schema readers know."""

    previous: Path | None
    standing: Path
    newest: Path | None


def build_release(
    warehouse: Path,
    published_root: Path,
    quarter: date,
    tables: Sequence[PublishedTable],
    now: datetime,
    *,
    credits: Mapping[str, SourceDescription] | None = None,
    reports: Sequence[DeclaredReport] = (),
    metrics: Sequence[Metric] = (),
    sources: Collection[str] | None = None,
    memory_limit: str | None = None,
    threads: int | None = None,
    key: str | None = None,
    attach_lake: AttachLake | None = None,
) -> Release:
    """Publish ``tables`` of the warehouse as the release of ``quarter``.

    ``now`` is the time that the release carries (a zone is turned into UTC). ``sources``
    are those that the tables come from (all in force where None is given); ``credits`` says,
    by source, how it is titled, supplied and licensed; ``reports`` how the report tables are shown;
    ``metrics`` what is measured; ``key`` opens an encrypted warehouse, and ``attach_lake``, where
    given, attaches the lake that is read instead of the file.
    Leaves the published files untouched where they hold the same already.

    Raises :class:`PublishError` (see ``errors``): an unsafe table, a missing or differing one, a
    warehouse as at another quarter, or a new file that fails its checks. The previous
    release is then unchanged.
    """
    refuse_unsafe(tables)
    _refuse_reserved(tables)
    parse_quarter(quarter.isoformat())
    target = published_root / quarter.isoformat() / PUBLISHED_FILE
    with _told_plainly(None if attach_lake else warehouse, published_root):
        with scratch_folder(published_root) as scratch:
            new = scratch / PUBLISHED_FILE
            with engine(scratch / SPILL, memory_limit, threads) as connection:
                _attach(connection, warehouse, key, attach_lake)
                _refuse_other_quarter(connection, quarter)
                _refuse_unattacked(connection, quarter, tables)
                choose_sources(connection, sources)
                before = _Before(
                    release_before(published_root, quarter),
                    target,
                    newest_release(published_root),
                )
                counts = _write(
                    connection, new, quarter, tables, _utc(now), credits or {}, reports, metrics,
                    before, withheld_tables(connection, quarter),
                )  # fmt: skip
            _verify(new, counts, quarter)
            changes = _changes(new, target)
            if changes:
                keep_superseded(target)
                place(new, target)
        current_replaced = settle_current(published_root, quarter, target)
    return _describe(published_root, quarter, target, changes, current_replaced, counts)


def build_restricted_release(
    warehouse: Path,
    folder: Path,
    quarter: date,
    tables: Sequence[PublishedTable],
    now: datetime,
    *,
    credits: Mapping[str, SourceDescription] | None = None,
    reports: Sequence[DeclaredReport] = (),
    metrics: Sequence[Metric] = (),
    sources: Collection[str] | None = None,
    memory_limit: str | None = None,
    threads: int | None = None,
    key: str | None = None,
    attach_lake: AttachLake | None = None,
) -> Path:
    """Write a release with the true counts of people into ``folder``; return its file.

    It has the form of a release, so that the same code makes pack and workbook of it, and the mark
    of a restricted edition. It is never put in place: the caller closes the folder to others, and
    removes it. ``tables`` are those of :func:`true_tables`; the rest is as in
    :func:`build_release`. Nothing is compared with earlier releases, so no figure is marked [r].
    """
    new = folder / PUBLISHED_FILE
    with _told_plainly(None if attach_lake else warehouse, folder):
        with engine(folder / SPILL, memory_limit, threads) as connection:
            _attach(connection, warehouse, key, attach_lake)
            _refuse_other_quarter(connection, quarter)
            choose_sources(connection, sources)
            counts = _write(
                connection, new, quarter, tables, _utc(now), credits or {}, reports, metrics,
                _Before(None, folder / "none", None), {},
            )  # fmt: skip
        with engine(folder / SPILL) as connection:
            connection.execute(f"attach {literal(str(new))} as {identifier(CATALOGUE)}")
            counts[write_mark(connection)] = 1
            connection.execute(f"detach {identifier(CATALOGUE)}")
        _verify(new, counts, quarter)
    return new


def _attach(
    connection: duckdb.DuckDBPyConnection,
    warehouse: Path,
    key: str | None,
    attach_lake: AttachLake | None,
) -> None:
    if attach_lake:
        attach_lake(connection, alias=WAREHOUSE)
    else:
        attach_read_only(connection, warehouse, WAREHOUSE, key)


@contextmanager
def _told_plainly(warehouse: Path | None, root: Path) -> Iterator[None]:
    """Turn a fault of DuckDB or the disk into one that says what it stopped.

    ``warehouse`` is the file that is read, none where it is a lake.
    """
    try:
        yield
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        if warehouse and is_damage(reason):
            raise damaged(warehouse, reason) from error
        hint = f" {_MAKE_ROOM}" if is_refused_by_disk(reason) else ""
        raise PublishError(f"The release could not be built: {reason}.{hint}") from error
    except OSError as error:
        raise PublishError(
            f"The release could not be written under {root}: {error}. {_MAKE_ROOM}"
        ) from error


_MAKE_ROOM = (
    "Make room there, or give the permission, and refresh again: the published files are unchanged."
)


def _refuse_reserved(tables: Sequence[PublishedTable]) -> None:
    """A published table may not take the name of a table about the release, nor come twice."""
    names = [table.full_name for table in (*ABOUT_TABLES, *tables)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise CatalogueError(f"More than one table would be published as {', '.join(twice)}.")


def _refuse_other_quarter(connection: duckdb.DuckDBPyConnection, quarter: date) -> None:
    try:
        row = connection.execute("select as_at from warehouse.control.refresh").fetchone()
    except duckdb.CatalogException as error:
        raise PublishError(
            "The warehouse has no control tables; it has not been loaded yet."
        ) from error
    if row is None or row[0] != quarter:
        as_at = quarter_label(row[0]) if row else "no quarter"
        raise WrongQuarterError(
            f"The warehouse is built as at {as_at}, not {quarter_label(quarter)}. Refresh "
            f"{quarter.isoformat()} before publishing it."
        )


def _refuse_unattacked(
    connection: duckdb.DuckDBPyConnection, quarter: date, tables: Sequence[PublishedTable]
) -> None:
    """Tables of people leave only as disclosure control left them for this very quarter."""
    if not any(table.protected for table in tables):
        return
    try:
        rows = connection.execute(
            "select findings from warehouse.control.disclosure where quarter = ? and in_place",
            [quarter],
        ).fetchall()
    except duckdb.CatalogException:
        rows = []
    if rows != [(0,)]:
        raise UnsafeTableError(
            f"Disclosure control has not passed the tables of {quarter_label(quarter)} that count "
            f"people. Refresh {quarter.isoformat()}, which does that before it publishes."
        )


def _write(
    connection: duckdb.DuckDBPyConnection,
    new: Path,
    quarter: date,
    tables: Sequence[PublishedTable],
    now: datetime,
    credits: Mapping[str, SourceDescription],
    reports: Sequence[DeclaredReport],
    metrics: Sequence[Metric],
    before: _Before,
    withheld: Mapping[str, str],
) -> dict[str, int]:
    """Write the new file and return the rows that each of its tables must have."""
    reference = [name for name, credit in credits.items() if credit.counts == "reference"]
    connection.execute(
        f"attach {literal(str(new))} as {identifier(CATALOGUE)} "
        f"(storage_version {literal(STORAGE_VERSION)})"
    )
    noted_tables = [noted(table, withheld) for table in tables]
    ordered = sorted(noted_tables, key=lambda table: (table.schema, table.name))
    copied = copy_tables(connection, ordered)
    if before.newest is not None:
        refuse_schema_change([*copied, *ABOUT_TABLES], SCHEMA_VERSION, before.newest)
    write_sources(connection, credits)
    write_in_force(connection)
    write_methods(connection, copied)
    write_data_up_to(connection, copied, quarter)
    cadences = {name: credit.cadence for name, credit in credits.items() if credit.cadence}
    there = [table for table in copied if table.full_name not in withheld]
    write_changes(connection, there, before.previous, before.standing, cadences)
    shown = [without_rows(report, withheld) for report in reports]
    if write_audit(connection, there):
        shown += audit_reports()
    write_report_metadata(connection, shown)
    write_joins(connection, copied)
    measured = write_metrics(connection, copied, metrics)
    write_descriptions(connection, copied, measured)
    contents = [
        *copied,
        SOURCES,
        IN_FORCE,
        CHANGES,
        DATA_UP_TO,
        REPORT_METADATA,
        METRICS,
        JOINS,
        *AUDIT_TABLES,
        TABLES,
        DICTIONARY,
    ]
    digest = content_digest(connection, CATALOGUE, contents)
    deliveries = deliveries_of_quarter(connection, quarter, reference)
    write_release(connection, quarter, now, __version__, digest, deliveries)
    write_comments(connection, [*copied, *ABOUT_TABLES])
    write_reflection_type(connection)
    counts = {
        table.full_name: count_rows(connection, WAREHOUSE, table.where_it_stands)
        for table in ordered
    }
    for table in ABOUT_TABLES:
        counts[table.full_name] = count_rows(connection, CATALOGUE, table)
    connection.execute(f"checkpoint {identifier(CATALOGUE)}")
    connection.execute(f"detach {identifier(CATALOGUE)}")
    return counts


def _verify(new: Path, counts: Mapping[str, int], quarter: date) -> None:
    """Read the closed file back as a client would; raise :class:`VerificationError` if amiss."""
    if log_beside(new).exists():
        raise VerificationError("The new release was not written out in full.")
    with open_release(new) as connection:
        faults = [*_count_faults(connection, counts), *_comment_faults(connection)]
        row = connection.execute("select quarter from main.release").fetchall()
        if row != [(quarter,)]:
            faults.append("it does not carry its quarter")
        if not _in_older_format(connection):
            faults.append(f"its storage format is not {STORAGE_VERSION}")
    if faults:
        raise VerificationError(f"The new release fails its checks: {'; '.join(faults)}.")


def _count_faults(connection: duckdb.DuckDBPyConnection, counts: Mapping[str, int]) -> list[str]:
    found = {
        f"{schema}.{name}"
        for schema, name in connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = ?",
            [CATALOGUE],
        ).fetchall()
    }
    faults = [f"{name} is not expected" for name in sorted(found - counts.keys())]
    for name, expected in counts.items():
        if name not in found:
            faults.append(f"{name} is missing")
            continue
        schema, table = name.split(".", 1)
        row = connection.execute(
            f"select count(*) from {identifier(schema)}.{identifier(table)}"
        ).fetchone()
        if row is None or row[0] != expected:
            faults.append(f"{name} has {row and row[0]} rows, not {expected}")
    return faults


def _comment_faults(connection: duckdb.DuckDBPyConnection) -> list[str]:
    bare = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() "
        "where database_name = $1 and coalesce(comment, '') = '' "
        "union all select schema_name || '.' || table_name || '.' || column_name "
        "from duckdb_columns() where database_name = $1 and not internal "
        "and coalesce(comment, '') = '' order by 1",
        [CATALOGUE],
    ).fetchall()
    return [f"{name} has no comment" for (name,) in bare]


def _in_older_format(connection: duckdb.DuckDBPyConnection) -> bool:
    row = connection.execute(
        "select tags['storage_version'] from duckdb_databases() where database_name = ?",
        [CATALOGUE],
    ).fetchone()
    return bool(row) and str(row[0]).startswith(STORAGE_VERSION)  # type: ignore[index]


def _changes(new: Path, target: Path) -> list[str]:
    """Return what differs between the new file and the quarter's standing release."""
    with engine(new.parent / SPILL) as connection:
        attach_read_only(connection, new, CATALOGUE)
        try:
            attach_read_only(connection, target, _STANDING)
            return changed_tables(connection, CATALOGUE, _STANDING)
        except (PublishError, duckdb.Error):
            # There is no release, or one that no reader could use either: everything is new.
            return changed_tables(connection, CATALOGUE, "none")


def _describe(
    root: Path,
    quarter: date,
    target: Path,
    changes: Sequence[str],
    current_replaced: bool,
    counts: Mapping[str, int],
) -> Release:
    standing = read_release(target)
    current = root / PUBLISHED_FILE
    return Release(
        quarter=quarter,
        path=target,
        current_path=current,
        changed=bool(changes),
        changed_tables=tuple(changes),
        current_replaced=current_replaced,
        is_current=read_release(current).identity == standing.identity,
        synthetic=standing.synthetic,
        built_at=standing.built_at,
        content_digest=standing.content_digest,
        row_counts=dict(counts),
        data_up_to=_data_up_to(target),
    )


def _data_up_to(release: Path) -> date | None:
    with open_release(release) as connection:
        ((day,),) = connection.execute("select data_up_to from main.release").fetchall()
    return day if isinstance(day, date) else None


def _utc(moment: datetime) -> datetime:
    """Return ``moment`` in UTC without a zone, which is how a DuckDB TIMESTAMP keeps it."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
