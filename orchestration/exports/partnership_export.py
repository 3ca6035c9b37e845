"""Exporting a release: one folder for each partnership, each swapped in whole.

``exports/<quarter>/<csp>/`` has ``tables/`` (CSV and Parquet), ``charts/`` (SVG, PNG and the text
in their place), ``workbook.xlsx``, ``pack.html``, ``pack.docx``, ``datapackage.json``,
``manifest.json`` and ``SHA256SUMS``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from orchestration.config.quarters import quarter_end, quarter_label
from orchestration.exports.atomic_folder import recover, swapped_in
from orchestration.exports.charts.chart_text import day_name
from orchestration.exports.data_package.data_package import datapackage
from orchestration.exports.data_package.folder_manifest import (
    ExportedFile,
    current_files,
    exported_files,
    write_manifest,
)
from orchestration.exports.data_package.table_files import write_csv, write_parquet
from orchestration.exports.errors import ExportError, WrongReleaseError
from orchestration.exports.pack.data_extent import extent
from orchestration.exports.pack.key_findings import places
from orchestration.exports.pack.pack_content import pack, shown
from orchestration.exports.parallel import export_side_by_side, workers
from orchestration.exports.report_definition.report_catalogue import ReportCatalogue, read_catalogue
from orchestration.exports.report_definition.row_selection import (
    Partnership,
    ReleaseFacts,
    Row,
    TableRef,
    areas,
    exported_tables,
    fetch,
    partnership,
    partnerships,
    release_facts,
    selected_rows,
    selection_query,
)
from orchestration.exports.report_definition.table_layout import absence
from orchestration.releases.published_file import open_release

if TYPE_CHECKING:
    from orchestration.exports.charts.line_charts import Chart

_SAFE_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


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
    areas: tuple[Row, ...]
    up_to: tuple[Row, ...]
    catalogue: ReportCatalogue

    def table(self, name: str) -> TableRef | None:
        """Return the report table of a name, or none where the release does not hold it."""
        return next(
            (table for table in self.tables if (table.schema, table.name) == ("reports", name)),
            None,
        )


def export_partnership(
    published: Path, out: Path, csp: str, *, force: bool = False
) -> ExportResult:
    """Export the release at ``published`` to the folder ``out`` for the partnership ``csp``.

    Leaves the folder alone where it is whole and of this release, unless ``force``. Raises
    :class:`ExportError` (see ``errors``); the previous folder is then unchanged.
    """
    with open_release(published, threads=1) as connection:
        release = _read(connection)
        _refuse_restricted(release)
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
        _refuse_restricted(release)
        if release.facts.quarter != quarter:
            raise WrongReleaseError(
                f"{published} is the release of {release.facts.quarter_label}, not of "
                f"{quarter_label(quarter)}."
            )
        folder = exports_root / quarter.isoformat()
        known = partnerships(connection)
        waiting = [whose for whose in known if force or _standing(release, whose, folder) is None]
        count = workers(len(waiting))
        if count == 1:
            return [_export(release, whose, folder / whose.csp, force) for whose in known]
        export_side_by_side(published, folder, [_safe_name(whose) for whose in waiting], count)
        return [_exported(release, whose, folder, whose in waiting) for whose in known]


def export_restricted(built: Path, out: Path, csp: str) -> None:
    """Write pack and workbook of a restricted release into the empty folder ``out``.

    Raises :class:`ExportError` where the release at ``built`` is not marked as restricted.
    """
    with open_release(built, threads=1) as connection:
        release = _read(connection)
        whose = partnership(connection, csp)
        if not release.facts.restricted_notice:
            raise ExportError(
                f"{built} is not a restricted release; export it without --restricted."
            )
        rows = _report_rows(release, whose)
        charts = _draw_charts(release, whose, rows)
        _write_workbook(release, whose, rows, out / "workbook.xlsx")
        _write_pack(release, whose, rows, charts, out)


def release_partnerships(release_file: Path) -> list[str]:
    """Return the short names of the partnerships of a release, which can name folders."""
    with open_release(release_file, threads=1) as connection:
        return [_safe_name(whose) for whose in partnerships(connection)]


def _refuse_restricted(release: "_Release") -> None:
    """A release with true counts of people never gets into the public exports."""
    if release.facts.restricted_notice:
        raise ExportError("The release has true counts of people. It is not for public exports.")


def _standing(release: "_Release", whose: Partnership, folder: Path) -> list[ExportedFile] | None:
    return current_files(folder / whose.csp, release.facts, whose)


def _exported(release: "_Release", whose: Partnership, folder: Path, changed: bool) -> ExportResult:
    files = _standing(release, whose, folder)
    if files is None:
        raise ExportError(f"The export for {whose.name} is incomplete; export it again.")
    return ExportResult(whose.csp, whose.name, folder / whose.csp, changed, tuple(files))


def _read(connection: duckdb.DuckDBPyConnection) -> _Release:
    return _Release(
        connection,
        release_facts(connection),
        tuple(exported_tables(connection)),
        tuple(fetch(connection, "from main.sources order by all")),
        tuple(areas(connection)),
        tuple(fetch(connection, "from main.data_up_to order by all")),
        read_catalogue(connection),
    )


def _export(release: _Release, whose: Partnership, out: Path, force: bool) -> ExportResult:
    _safe_name(whose)
    try:
        recover(out)
        standing = None if force else current_files(out, release.facts, whose)
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


def _safe_name(whose: Partnership) -> str:
    """Return the partnership's short name, which names a folder and nothing above it."""
    if not _SAFE_NAME.fullmatch(whose.csp):
        raise ExportError(
            f"'{whose.csp}' cannot name a folder: a partnership's short name has small letters, "
            "digits and hyphens only."
        )
    return whose.csp


def _write(release: _Release, whose: Partnership, folder: Path) -> list[ExportedFile]:
    """Write everything of one partnership into the empty ``folder``."""
    named = _write_tables(release, whose, folder / "tables")
    rows = _report_rows(release, whose)
    charts = _draw_charts(release, whose, rows)
    _write_charts(charts, folder / "charts")
    _write_workbook(release, whose, rows, folder / "workbook.xlsx")
    _write_pack(release, whose, rows, charts, folder)
    (folder / "datapackage.json").write_bytes(
        datapackage(
            release.facts,
            whose,
            {table.name: table for table in release.tables},
            named,
            release.sources,
            exported_files(folder),
            _absent(release, whose, rows),
        )
    )
    return write_manifest(folder, release.facts, whose, release.sources)


def _report_rows(release: _Release, whose: Partnership) -> dict[str, Sequence[Row]]:
    return {
        table.name: selected_rows(release.connection, table, whose)
        for table in release.tables
        if table.schema == "reports"
    }


def _absent(
    release: _Release, whose: Partnership, rows: Mapping[str, Sequence[Row]]
) -> list[dict[str, str]]:
    """Return the exhibits of which nothing is shown, each with the reason."""
    found = []
    for exhibit in release.catalogue.exhibits:
        published = release.table(exhibit.table) is not None
        reason = absence(exhibit, published, rows.get(exhibit.table, ()), whose)
        if reason:
            found.append({"label": exhibit.label, "title": exhibit.subject, "reason": reason})
    return found


def _write_tables(release: _Release, whose: Partnership, folder: Path) -> dict[str, frozenset[str]]:
    """Write every table; return the deliveries that the rows of each name."""
    folder.mkdir()
    named = {}
    for table in release.tables:
        write_csv(release.connection, table, whose, folder / f"{table.name}.csv")
        write_parquet(release.connection, table, whose, folder / f"{table.name}.parquet")
        if "deliveries" in table.column_names:
            query = selection_query(table, whose)
            found = fetch(release.connection, f"select distinct deliveries from ({query})")
            named[table.name] = named_deliveries(found)
    return named


def _write_charts(charts: Mapping[str, Sequence["Chart"]], folder: Path) -> None:
    folder.mkdir()
    for chart in (chart for drawn in charts.values() for chart in drawn):
        (folder / f"{chart.slug}.svg").write_bytes(chart.svg)
        (folder / f"{chart.slug}.png").write_bytes(chart.png)
        (folder / f"{chart.slug}.txt").write_text(f"{chart.alt}\n", encoding="utf-8")


def _draw_charts(
    release: _Release, whose: Partnership, rows: Mapping[str, Sequence[Row]]
) -> dict[str, list["Chart"]]:
    """Draw every exhibit that has a chart; return the charts by the exhibit's table."""
    # Matplotlib takes most of a second to import: only where something is drawn.
    from orchestration.exports.charts.exhibit_charts import charts_of

    drawn = {}
    for exhibit in release.catalogue.exhibits:
        own = rows.get(exhibit.table, ())
        if not exhibit.chart or not own:
            continue
        charts = charts_of(
            exhibit,
            own,
            whose,
            places(whose, release.areas),
            _footnotes(release, exhibit.table, own),
            _is_synthetic(release, own),
        )
        if notice := release.facts.restricted_notice:
            charts = [replace(chart, alt=f"{notice} {chart.alt}") for chart in charts]
        drawn[exhibit.table] = charts
    return drawn


def _write_pack(
    release: _Release,
    whose: Partnership,
    rows: Mapping[str, Sequence[Row]],
    charts: Mapping[str, Sequence["Chart"]],
    folder: Path,
) -> None:
    from orchestration.exports.pack.html_page import pack_html
    from orchestration.exports.pack.word_document import pack_docx

    data = extent(release.facts, release.up_to, whose)
    shows = {
        exhibit.slug: shown(
            exhibit,
            release.table(exhibit.table),
            rows.get(exhibit.table, ()),
            whose,
            charts.get(exhibit.table, ()),
            _suppliers(release, rows.get(exhibit.table, ())),
            _is_synthetic(release, rows.get(exhibit.table, ())),
            data.note(exhibit.table),
        )
        for exhibit in release.catalogue.exhibits
    }
    end = quarter_end(release.facts.quarter)
    made = pack(
        release.facts,
        whose,
        release.catalogue.sections,
        shows,
        rows,
        places(whose, release.areas),
        day_name(end),
        _source_rows(release.sources),
        data,
        {table.name: table.rounded_to for table in release.tables if table.rounded_to},
    )
    (folder / "pack.html").write_bytes(pack_html(made))
    (folder / "pack.docx").write_bytes(pack_docx(made, datetime.combine(end, time())))


def _footnotes(release: _Release, table: str, rows: Sequence[Row]) -> list[str]:
    """Return the lines under a chart: the table's note, the notices, the source."""
    notes = [release.facts.restricted_notice] if release.facts.restricted_notice else []
    notes += [ref.note for ref in release.tables if ref.name == table and ref.note]
    if release.facts.synthetic_notice and _is_synthetic(release, rows):
        notes.append(release.facts.synthetic_notice)
    origin = [*_suppliers(release, rows), release.facts.product]
    return [*notes, f"Source: {'; '.join(origin)}, release of {release.facts.quarter_label}."]


def named_deliveries(rows: Sequence[Row]) -> frozenset[str]:
    """Return the deliveries that ``rows`` come from, such as ``dwelling_stock 2018-04-01 v1``."""
    return frozenset(
        delivery.strip()
        for row in rows
        for delivery in str(row.get("deliveries") or "").split(";")
        if delivery.strip()
    )


def _suppliers(release: _Release, rows: Sequence[Row]) -> list[str]:
    """Return who supplied the deliveries that ``rows`` name."""
    named = {delivery.split()[0] for delivery in named_deliveries(rows)}
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
    return bool(synthetic & named_deliveries(rows))


def _write_workbook(
    release: _Release, whose: Partnership, rows: Mapping[str, Sequence[Row]], path: Path
) -> None:
    from orchestration.exports.workbook.workbook import SheetTable, write_workbook

    sheets, absent = [], []
    for exhibit in release.catalogue.exhibits:
        table, own = release.table(exhibit.table), rows.get(exhibit.table)
        if table is None or not own:
            reason = absence(exhibit, table is not None, (), whose)
            absent.append(f"{exhibit.label} ({reason})")
            continue
        sheets.append(SheetTable(exhibit, table, own, _is_synthetic(release, own)))
    if sheets:
        write_workbook(
            path,
            release.facts,
            whose,
            sheets,
            _credits(release.sources),
            absent,
            extent(release.facts, release.up_to, whose),
        )


def _credits(sources: Sequence[Row]) -> list[str]:
    """Return a line on each source: title, supplier, licence, and whether it is synthetic."""
    lines = []
    for row in sources:
        title = row["title"] or row["source"]
        parts = [str(part) for part in (title, row["supplier"], row["licence"]) if part]
        if row["nature"] == "synthetic":
            parts.append("synthetic data")
        lines.append(f"{', '.join(parts)}.")
    return list(dict.fromkeys(lines))


def _source_rows(sources: Sequence[Row]) -> list[tuple[str, ...]]:
    """Return one row a source: title, supplier, licence, nature, and which deliveries."""
    found: dict[tuple[str, ...], list[str]] = {}
    for row in sources:
        what = tuple(str(row[name] or "not given") for name in ("title", "supplier", "licence"))
        deliveries = found.setdefault((*what, str(row["nature"])), [])
        delivery = f"{row['quarter']} v{row['version']}"
        if delivery not in deliveries:
            deliveries.append(delivery)
    return [(*what, _listed(deliveries)) for what, deliveries in found.items()]


def _listed(deliveries: Sequence[str]) -> str:
    """Return a text on deliveries: all of up to three, otherwise the first and the last."""
    if len(deliveries) <= 3:
        return ", ".join(deliveries)
    return f"{len(deliveries)} deliveries, {deliveries[0]} to {deliveries[-1]}"
