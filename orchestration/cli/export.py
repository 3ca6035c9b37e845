"""``csp export``: a quarter's exports in another folder, or their restricted edition."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
from rich.console import Console

from orchestration.cli.account import account_name
from orchestration.cli.console import styled
from orchestration.config.quarters import quarter_label
from orchestration.config.settings import Settings
from orchestration.errors import did_you_mean
from orchestration.exports import (
    ExportError,
    UnknownPartnershipError,
    export_partnership,
    export_restricted,
    new_target,
    release_partnerships,
    usable_target,
)
from orchestration.publish import (
    build_restricted_release,
    declared_metrics,
    declared_reports,
    source_descriptions,
    true_tables,
)
from orchestration.releases.published_file import PUBLISHED_FILE
from orchestration.releases.release_registry import read_release
from orchestration.transform.build_state import fingerprints, last_good_build
from orchestration.transform.dbt_runner import (
    inputs_sha256,
    load_lineage,
    load_manifest,
    method_settings,
    published_nodes,
)
from orchestration.transform.source_origins import sources_behind
from orchestration.warehouse.atomic_file import scratch_folder
from orchestration.warehouse.connection import (
    connect,
    lake_attacher,
    no_warehouse,
    warehouse_exists,
    warehouse_lock,
)
from orchestration.warehouse.control_schema import ensure_control


def export_to_folder(
    settings: Settings,
    quarter: date | None,
    partnerships: Sequence[str],
    to: Path,
    console: Console,
    *,
    restricted: bool,
) -> None:
    """Write the exports of ``quarter`` for ``partnerships`` into the folder ``to``.

    All partnerships where none is named. Raises :class:`ExportError` where the folder or a
    partnership cannot be used, or the quarter is not at hand; nothing is written then.
    """
    target = usable_target(
        to, [settings.published, settings.exports, settings.raw, settings.texts_folder]
    )
    if restricted:
        _export_restricted(settings, quarter, partnerships, target, console)
    else:
        _export_published(settings, quarter, partnerships, target, console)


def chosen_release(settings: Settings, quarter: date | None) -> Path:
    """Return the file of a quarter's release, or of the current one.

    Raises :class:`ExportError` where it is not published.
    """
    folder = settings.published / quarter.isoformat() if quarter else settings.published
    release = folder / PUBLISHED_FILE
    if not release.exists():
        what = f"{quarter_label(quarter)} is not published" if quarter else "Nothing is published"
        raise ExportError(f"{what} yet. Run `csp refresh{f' {quarter}' if quarter else ''}`.")
    return release


def _export_published(
    settings: Settings,
    quarter: date | None,
    partnerships: Sequence[str],
    target: Path,
    console: Console,
) -> None:
    release = chosen_release(settings, quarter)
    published = read_release(release)
    names = chosen_partnerships(release, partnerships)
    with new_target(target) as new:
        for name in names:
            result = export_partnership(release, new / name, name, texts=settings.texts_folder)
            for warning in result.warnings:
                console.print(styled("[yellow]Warning:[/] {}", warning))
    console.print(
        f"Exports of {quarter_label(published.quarter)}, as published, for {', '.join(names)}: "
        f"{target}"
    )


def _export_restricted(
    settings: Settings,
    quarter: date | None,
    partnerships: Sequence[str],
    target: Path,
    console: Console,
) -> None:
    if not warehouse_exists(settings):
        raise no_warehouse(settings)
    with (
        warehouse_lock(settings, "csp export", settings.lock_wait_seconds),
        _restricted_release(settings, quarter) as (release, held),
    ):
        names = chosen_partnerships(release, partnerships)
        with new_target(target) as new:
            for name in names:
                (new / name).mkdir()
                export_restricted(release, new / name, name, settings.texts_folder)
            # Before the files are in place: no edition is without its record.
            _record(settings, held, names)
    console.print(
        f"Restricted edition of {quarter_label(held)} for {', '.join(names)}: {target}\n"
        "It has the true counts of people. Keep it to those who may see them, and delete it when "
        "it is no longer needed."
    )


def chosen_partnerships(release: Path, partnerships: Sequence[str]) -> list[str]:
    """Return the named partnerships, or all of the release; refuse one that it does not know."""
    known = release_partnerships(release)
    if unknown := [name for name in partnerships if name not in known]:
        raise UnknownPartnershipError(
            f"There is no partnership '{unknown[0]}'.{did_you_mean(unknown[0], known)} "
            f"The partnerships: {', '.join(known)}."
        )
    return list(dict.fromkeys(partnerships)) or known


@contextmanager
def _restricted_release(settings: Settings, quarter: date | None) -> Iterator[tuple[Path, date]]:
    """Yield a release with true counts and its quarter; it is removed afterwards in any case.

    The writer lock is held. What is left of a killed export is removed by the next refresh.
    """
    manifest = load_manifest(settings)
    with connect(settings, read_only=True) as connection:
        held = _quarter_of_tables(connection, quarter)
        _refuse_unfinished(settings, connection, held)
    with scratch_folder(settings.home) as folder:
        release = build_restricted_release(
            settings.warehouse,
            folder,
            held,
            true_tables(manifest, method_settings(), load_lineage(settings)),
            datetime.now(UTC),
            credits=source_descriptions(manifest),
            reports=declared_reports(manifest),
            metrics=declared_metrics(manifest),
            sources=sources_behind(manifest, published_nodes(manifest)),
            memory_limit=settings.engine_memory,
            threads=settings.threads,
            key=settings.warehouse_key.get_secret_value() if settings.warehouse_key else None,
            attach_lake=lake_attacher(settings),
        )
        yield release, held


def _quarter_of_tables(connection: duckdb.DuckDBPyConnection, asked: date | None) -> date:
    """Return the quarter whose tables the warehouse holds; refuse another one."""
    try:
        row = connection.execute("select as_at from control.refresh").fetchone()
    except duckdb.CatalogException:
        row = None
    if row is None:
        raise ExportError("No quarter has been refreshed yet. Run `csp refresh` first.")
    held: date = row[0]
    if asked is not None and asked != held:
        raise ExportError(
            f"The warehouse holds the tables of {quarter_label(held)} ({held}), not of "
            f"{quarter_label(asked)}: true counts are kept of the quarter refreshed last. Run `csp "
            f"refresh {asked}` and export again."
        )
    return held


def _refuse_unfinished(
    settings: Settings, connection: duckdb.DuckDBPyConnection, held: date
) -> None:
    """Refuse tables that were not built, and checked, from what the warehouse holds now."""
    last = last_good_build(connection)
    if last is None or dict(last.fingerprints) != _made_from(settings, connection):
        raise ExportError(
            f"The tables of {quarter_label(held)} are not complete: a refresh failed or was cut "
            "short, or the program or a setting was changed after it. Run `csp refresh "
            f"{held}` and export again."
        )


def _made_from(settings: Settings, connection: duckdb.DuckDBPyConnection) -> dict[str, str] | None:
    try:
        return fingerprints(connection, load_manifest(settings), inputs_sha256())
    except (duckdb.CatalogException, duckdb.BinderException):
        # A table that the models read is missing: they were made from another one.
        return None


def _record(settings: Settings, quarter: date, partnerships: Sequence[str]) -> None:
    """Record for whom a restricted edition was made, by whom and when."""
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    with connect(settings) as connection:
        ensure_control(connection)
        connection.executemany(
            "insert into control.restricted_exports values (?, ?, ?, ?)",
            [[quarter, name, account_name(), now] for name in partnerships],
        )
