"""Exporting a release: one folder for each partnership, each swapped in whole.

``exports/<quarter>/<csp>/`` has ``tables/`` (CSV and Parquet), ``charts/`` (SVG, PNG and the text
in their place), ``workbook.xlsx``, ``manifest.json`` and ``SHA256SUMS``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from orchestration.exports.errors import ExportError, WrongReleaseError
from orchestration.exports.folder import recover, swapped_in
from orchestration.exports.manifest import ExportedFile, standing_files, write_manifest
from orchestration.exports.selection import (
    Partnership,
    ReleaseFacts,
    Row,
    TableRef,
    exported_tables,
    fetch,
    partnership,
    partnerships,
    release_facts,
    selected_rows,
)
from orchestration.exports.series import monthly_series
from orchestration.exports.tables import write_csv, write_parquet
from orchestration.exports.words import month_chart_words, rate_chart_words
from orchestration.publish.database import open_release
from orchestration.quarters import quarter_label

if TYPE_CHECKING:
    from orchestration.exports.charts import Chart

_SAFE_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")

_MONTH_FIGURES = (
    ("figure_10_shoplifting", "Figure 10", "Shoplifting"),
    ("figure_11_burglary", "Figure 11", "Burglary"),
)
_TABLE_5 = "table_5_social_dwellings"


@dataclass(frozen=True)
class ExportResult:
    """What came of exporting to a partnership.

    ``changed`` is false where the folder was whole and of this release already, and left alone.
    ``files`` lists every file but the checksums.
    """

    csp: str
    csp_name: str
    folder: Path
    changed: bool
    files: tuple[ExportedFile, ...]


@dataclass(frozen=True)
class _Release:
    """All of a release that the exports of its partnerships have in common."""

    connection: duckdb.DuckDBPyConnection
    facts: ReleaseFacts
    tables: tuple[TableRef, ...]
    sources: tuple[Row, ...]


def export_partnership(
    published: Path, out: Path, csp: str, *, force: bool = False
) -> ExportResult:
    """Export the release at ``published`` to the folder ``out`` for the partnership ``csp``.

    Leaves the folder alone where it is whole and of this release, unless ``force``. Raises
    :class:`ExportError` (see ``errors``); the folder that stood before then still stands.
    """
    with open_release(published, threads=1) as connection:
        release = _read(connection)
        return _export(release, partnership(connection, csp), out, force)


def export_release(
    published: Path, exports_root: Path, quarter: date, *, force: bool = False
) -> list[ExportResult]:
    """Export the release of ``quarter`` at ``published`` for every partnership that it knows.

    Folders are ``exports_root/<quarter>/<csp>``. Raises :class:`WrongReleaseError` where the file
    is of another quarter, and :class:`ExportError` where a folder cannot be written.
    """
    with open_release(published, threads=1) as connection:
        release = _read(connection)
        if release.facts.quarter != quarter:
            raise WrongReleaseError(
                f"{published} is the release of {release.facts.quarter_label}, not of "
                f"{quarter_label(quarter)}."
            )
        folder = exports_root / quarter.isoformat()
        return [
            _export(release, whose, folder / whose.csp, force) for whose in partnerships(connection)
        ]


def _read(connection: duckdb.DuckDBPyConnection) -> _Release:
    return _Release(
        connection,
        release_facts(connection),
        tuple(exported_tables(connection)),
        tuple(fetch(connection, "from main.sources order by all")),
    )


def _export(release: _Release, whose: Partnership, out: Path, force: bool) -> ExportResult:
    if not _SAFE_NAME.fullmatch(whose.csp):
        raise ExportError(
            f"'{whose.csp}' cannot name a folder: a partnership's short name has small letters, "
            "digits and hyphens only."
        )
    try:
        recover(out)
        standing = None if force else standing_files(out, release.facts, whose)
        if standing is not None:
            return ExportResult(whose.csp, whose.name, out, False, tuple(standing))
        with swapped_in(out) as folder:
            files = _write(release, whose, folder)
    except (OSError, duckdb.Error) as error:
        reason = str(error).splitlines()[0]
        raise ExportError(
            f"The export for {whose.name} could not be written: {reason}. Make room there, or give "
            "the permission, and refresh again; the release is published."
        ) from error
    return ExportResult(whose.csp, whose.name, out, True, tuple(files))


def _write(release: _Release, whose: Partnership, folder: Path) -> list[ExportedFile]:
    """Write everything of one partnership into the empty ``folder``."""
    _write_tables(release, whose, folder / "tables")
    rows = {
        table.name: selected_rows(release.connection, table, whose)
        for table in release.tables
        if table.schema == "reports"
    }
    _write_charts(release, whose, rows, folder / "charts")
    _write_workbook(release, whose, rows, folder / "workbook.xlsx")
    return write_manifest(folder, release.facts, whose, release.sources)


def _write_tables(release: _Release, whose: Partnership, folder: Path) -> None:
    folder.mkdir()
    for table in release.tables:
        write_csv(release.connection, table, whose, folder / f"{table.name}.csv")
        write_parquet(release.connection, table, whose, folder / f"{table.name}.parquet")


def _write_charts(
    release: _Release, whose: Partnership, rows: dict[str, list[Row]], folder: Path
) -> None:
    folder.mkdir()
    charts = [
        *_month_charts(release, whose, rows),
        *_rate_chart(release, whose, rows.get(_TABLE_5, [])),
    ]
    for chart in charts:
        (folder / f"{chart.slug}.svg").write_bytes(chart.svg)
        (folder / f"{chart.slug}.png").write_bytes(chart.png)
        (folder / f"{chart.slug}.txt").write_text(f"{chart.alt}\n", encoding="utf-8")


def _month_charts(
    release: _Release, whose: Partnership, rows: dict[str, list[Row]]
) -> list["Chart"]:
    # Matplotlib takes most of a second to import: only where something is drawn.
    from orchestration.exports.charts import control_chart

    charts = []
    for name, number, subject in _MONTH_FIGURES:
        for district in whose.districts:
            own = [row for row in rows.get(name, []) if row["area_code"] == district]
            if not own:
                continue
            series = monthly_series(own)
            slug = name if len(whose.districts) == 1 else f"{name}_{district}"
            words = month_chart_words(
                series,
                slug,
                number,
                subject,
                _footnotes(release, name, own),
                _is_synthetic(release, own),
            )
            charts.append(control_chart(series, words))
    return charts


def _rate_chart(release: _Release, whose: Partnership, rows: Sequence[Row]) -> list["Chart"]:
    """Draw Table 5 for the latest year that has a rate."""
    from orchestration.exports.charts import rate_chart

    years = [int(str(row["stock_year"])) for row in rows if row["rate_per_1000"] is not None]
    if not years:
        return []
    latest = [row for row in rows if row["stock_year"] == max(years)]
    own = [str(row["area_name"]) for row in latest if row["area_code"] in whose.districts]
    words = rate_chart_words(
        latest,
        " and ".join(own) or whose.name,
        _footnotes(release, _TABLE_5, latest),
        _is_synthetic(release, latest),
    )
    return [rate_chart(latest, whose.districts, words)]


def _footnotes(release: _Release, table: str, rows: Sequence[Row]) -> list[str]:
    """Return what stands under a chart: the table's note, the synthetic notice, the source."""
    notes = [ref.note for ref in release.tables if ref.name == table and ref.note]
    if release.facts.synthetic_notice and _is_synthetic(release, rows):
        notes.append(release.facts.synthetic_notice)
    origin = [*_suppliers(release, rows), release.facts.product]
    return [*notes, f"Source: {'; '.join(origin)}, release of {release.facts.quarter_label}."]


def _named_deliveries(rows: Sequence[Row]) -> set[str]:
    """Return the deliveries that ``rows`` come from, such as ``dwelling_stock 2018-04-01 v1``."""
    return {
        delivery.strip()
        for row in rows
        for delivery in str(row.get("deliveries") or "").split(";")
        if delivery.strip()
    }


def _suppliers(release: _Release, rows: Sequence[Row]) -> list[str]:
    """Return who supplied the deliveries that ``rows`` name."""
    named = {delivery.split()[0] for delivery in _named_deliveries(rows)}
    return sorted(
        {
            str(source["supplier"] or source["title"] or source["source"])
            for source in release.sources
            if source["source"] in named
        }
    )


def _is_synthetic(release: _Release, rows: Sequence[Row]) -> bool:
    """Say whether any delivery that ``rows`` name is synthetic."""
    synthetic = {
        f"{source['source']} {source['quarter']} v{source['version']}"
        for source in release.sources
        if source["nature"] == "synthetic"
    }
    return bool(synthetic & _named_deliveries(rows))


def _write_workbook(
    release: _Release, whose: Partnership, rows: dict[str, list[Row]], path: Path
) -> None:
    from orchestration.exports.workbook import (
        FIGURE_COLUMNS,
        TABLE_5_COLUMNS,
        SheetTable,
        write_workbook,
    )

    layouts = [("Table 5", _TABLE_5, TABLE_5_COLUMNS)]
    layouts += [(number, name, FIGURE_COLUMNS) for name, number, _ in _MONTH_FIGURES]
    tables = {table.name: table for table in release.tables}
    sheets = [
        SheetTable(label, tables[name], rows[name], columns, _is_synthetic(release, rows[name]))
        for label, name, columns in layouts
        if rows.get(name)
    ]
    if sheets:
        write_workbook(path, release.facts, whose, sheets, _credits(release.sources))


def _credits(sources: Sequence[Row]) -> list[str]:
    """Return each source in words: title, supplier, licence, and whether it is synthetic."""
    lines = []
    for row in sources:
        title = row["title"] or row["source"]
        parts = [str(part) for part in (title, row["supplier"], row["licence"]) if part]
        if row["nature"] == "synthetic":
            parts.append("synthetic data")
        lines.append(f"{', '.join(parts)}.")
    return list(dict.fromkeys(lines))
