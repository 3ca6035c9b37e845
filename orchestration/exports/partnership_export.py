"""Exporting a release: one folder for each partnership, each swapped in whole.

``exports/<quarter>/<csp>/`` has ``tables/`` (CSV and Parquet), ``charts/`` (SVG, PNG and the text
in their place), ``workbook.xlsx``, ``pack.html``, ``pack.docx``, ``datapackage.json``,
``explore.html``, ``manifest.json`` and ``SHA256SUMS``.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from orchestration.config.quarters import quarter_end, quarter_label
from orchestration.exports.atomic_folder import recover, swapped_in
from orchestration.exports.charts.chart_text import SYNTHETIC_MARK, day_name
from orchestration.exports.charts.kept_chart import kept_chart
from orchestration.exports.charts.system_numbers import (
    DIAGRAM,
    diagram_words,
    numbers_known,
    system_tables,
)
from orchestration.exports.data_package.data_package import datapackage
from orchestration.exports.data_package.folder_manifest import (
    ExportedFile,
    current_files,
    exported_files,
    write_manifest,
)
from orchestration.exports.data_package.table_files import rows_digests, write_csv, write_parquet
from orchestration.exports.errors import ExportError, WrongReleaseError
from orchestration.exports.findings.key_findings import places
from orchestration.exports.pack.data_extent import extent
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
from orchestration.exports.report_definition.table_layout import absence, ordered_rows
from orchestration.exports.reused_files import ExportFolder, export_folder
from orchestration.exports.texts.pack_texts import PackTexts, text_identity
from orchestration.exports.texts.release_texts import release_texts
from orchestration.releases.published_file import open_release
from orchestration.releases.report_metadata import Exhibit

if TYPE_CHECKING:
    from orchestration.exports.charts.line_charts import Chart

_SAFE_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True)
class ExportResult:
    """What came of exporting to a partnership.

    ``changed`` is false where the folder was whole and of this release already, and left alone.
    ``files`` lists every file but the checksums, ``warnings`` what is wrong in the analyst's texts.
    """

    csp: str
    csp_name: str
    folder: Path
    changed: bool
    files: tuple[ExportedFile, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Release:
    """All of a release that the exports of its partnerships have in common.

    ``texts`` is the folder of the analysts' texts; there may be none.
    """

    published: Path
    texts: Path | None
    connection: duckdb.DuckDBPyConnection
    facts: ReleaseFacts
    tables: tuple[TableRef, ...]
    sources: tuple[Row, ...]
    areas: tuple[Row, ...]
    up_to: tuple[Row, ...]
    catalogue: ReportCatalogue

    def rows_digest(self, table: TableRef) -> str:
        """Return a digest of the rows of a table, all areas together."""
        return self._rows_digests[table.full_name]

    @cached_property
    def _rows_digests(self) -> Mapping[str, str]:
        return rows_digests(self.connection, self.tables)

    def table(self, name: str) -> TableRef | None:
        """Return the report table of a name, or none where the release does not hold it."""
        return next(
            (table for table in self.tables if (table.schema, table.name) == ("reports", name)),
            None,
        )


def export_partnership(
    published: Path, out: Path, csp: str, *, force: bool = False, texts: Path | None = None
) -> ExportResult:
    """Export the release at ``published`` to the folder ``out`` for the partnership ``csp``.

    ``texts`` is the folder of the analysts' texts. Leaves the folder alone where it is whole, of
    this release and of the same texts, unless ``force``. Raises :class:`ExportError` (see
    ``errors``); the previous folder is then unchanged.
    """
    with open_release(published, threads=1) as connection:
        release = _read(connection, published, texts)
        _refuse_restricted(release)
        return _export(release, partnership(connection, csp), out, force)


def export_release(
    published: Path,
    exports_root: Path,
    quarter: date,
    *,
    force: bool = False,
    texts: Path | None = None,
) -> list[ExportResult]:
    """Export the release of ``quarter`` at ``published`` for every partnership that it knows.

    Folders are ``exports_root/<quarter>/<csp>``. Raises :class:`WrongReleaseError` where the file
    is of another quarter, and :class:`ExportError` where a folder cannot be written.
    """
    with open_release(published, threads=1) as connection:
        release = _read(connection, published, texts)
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
        export_side_by_side(
            published, folder, [_safe_name(whose) for whose in waiting], count, texts
        )
        return [_exported(release, whose, folder, whose in waiting) for whose in known]


def export_restricted(built: Path, out: Path, csp: str, texts: Path | None = None) -> None:
    """Write pack and workbook of a restricted release into the empty folder ``out``.

    Raises :class:`ExportError` where the release at ``built`` is not marked as restricted.
    """
    with open_release(built, threads=1) as connection:
        release = _read(connection, built, texts)
        whose = partnership(connection, csp)
        if not release.facts.restricted_notice:
            raise ExportError(
                f"{built} is not a restricted release; export it without --restricted."
            )
        rows = _report_rows(release, whose)
        charts = _draw_charts(release, whose, rows)
        folder = export_folder(out)
        _write_workbook(release, whose, rows, charts, folder)
        _write_pack(release, whose, rows, charts, _texts(release, whose), folder)


def release_partnerships(release_file: Path) -> list[str]:
    """Return the short names of the partnerships of a release, which can name folders."""
    with open_release(release_file, threads=1) as connection:
        return [_safe_name(whose) for whose in partnerships(connection)]


def _refuse_restricted(release: "_Release") -> None:
    """A release with true counts of people never gets into the public exports."""
    if release.facts.restricted_notice:
        raise ExportError("The release has true counts of people. It is not for public exports.")


def _standing(release: "_Release", whose: Partnership, folder: Path) -> list[ExportedFile] | None:
    return current_files(folder / whose.csp, release.facts, whose, _text_identity(release, whose))


def _text_identity(release: "_Release", whose: Partnership) -> list[dict[str, str]]:
    return text_identity(release.texts, whose.csp, release.facts.quarter)


def _texts(release: "_Release", whose: Partnership) -> PackTexts:
    return release_texts(release.connection, release.published, release.texts, whose)


def _result(
    whose: Partnership,
    folder: Path,
    changed: bool,
    files: Sequence[ExportedFile],
    texts: PackTexts,
) -> ExportResult:
    worst_first = sorted(texts.faults, key=lambda one: (not one.hides, not one.is_error))
    warnings = tuple(str(fault) for fault in worst_first)
    return ExportResult(whose.csp, whose.name, folder, changed, tuple(files), warnings)


def _exported(release: "_Release", whose: Partnership, folder: Path, changed: bool) -> ExportResult:
    files = _standing(release, whose, folder)
    if files is None:
        raise ExportError(f"The export for {whose.name} is incomplete; export it again.")
    return _result(whose, folder / whose.csp, changed, files, _texts(release, whose))


def _read(connection: duckdb.DuckDBPyConnection, published: Path, texts: Path | None) -> _Release:
    return _Release(
        published,
        texts,
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
        # In this order: a text that changes meanwhile makes the export stale, not current.
        identity = _text_identity(release, whose)
        texts = _texts(release, whose)
        standing = None if force else current_files(out, release.facts, whose, identity)
        if standing is not None:
            return _result(whose, out, False, standing, texts)
        with swapped_in(out) as folder:
            files = _write(release, whose, texts, identity, export_folder(folder, out))
    except (OSError, duckdb.Error) as error:
        reason = str(error).splitlines()[0]
        raise ExportError(
            f"The export for {whose.name} could not be written: {reason}. Make room there, or give "
            "the permission, and refresh again; the release is published."
        ) from error
    return _result(whose, out, True, files, texts)


def _safe_name(whose: Partnership) -> str:
    """Return the partnership's short name, which names a folder and nothing above it."""
    if not _SAFE_NAME.fullmatch(whose.csp):
        raise ExportError(
            f"'{whose.csp}' cannot name a folder: a partnership's short name has small letters, "
            "digits and hyphens only."
        )
    return whose.csp


def _write(
    release: _Release,
    whose: Partnership,
    texts: PackTexts,
    identity: Sequence[Mapping[str, str]],
    folder: ExportFolder,
) -> list[ExportedFile]:
    """Write everything of one partnership into the empty ``folder``."""
    named = _write_tables(release, whose, folder)
    rows = _report_rows(release, whose)
    charts = _draw_charts(release, whose, rows, folder)
    _write_workbook(release, whose, rows, charts, folder)
    _write_pack(release, whose, rows, charts, texts, folder)
    _write_explore(release, whose, folder)
    (folder.path / "datapackage.json").write_bytes(
        datapackage(
            release.facts,
            whose,
            {table.name: table for table in release.tables},
            named,
            release.sources,
            exported_files(folder.path),
            _absent(release, whose, rows, charts),
        )
    )
    return write_manifest(
        folder.path, release.facts, whose, release.sources, identity, folder.made_from
    )


def _report_rows(release: _Release, whose: Partnership) -> dict[str, Sequence[Row]]:
    return {
        table.name: selected_rows(release.connection, table, whose)
        for table in release.tables
        if table.schema == "reports"
    }


def _absent(
    release: _Release,
    whose: Partnership,
    rows: Mapping[str, Sequence[Row]],
    charts: Mapping[str, Sequence["Chart"]],
) -> list[dict[str, str]]:
    """Return the exhibits of which nothing is shown, each with the reason."""
    found = []
    for exhibit in release.catalogue.exhibits:
        if not exhibit.table and exhibit.slug in charts:
            continue
        published = release.table(exhibit.table) is not None
        reason = absence(exhibit, published, rows.get(exhibit.table, ()), whose)
        if reason:
            found.append({"label": exhibit.label, "title": exhibit.subject, "reason": reason})
    return found


def _write_tables(
    release: _Release, whose: Partnership, folder: ExportFolder
) -> dict[str, frozenset[str]]:
    """Write every table; return the deliveries that the rows of each name."""
    (folder.path / "tables").mkdir()
    named = {}
    for table in release.tables:
        query = selection_query(table, whose)
        folder.make(
            [f"tables/{table.name}.csv", f"tables/{table.name}.parquet"],
            (table.columns, query, release.rows_digest(table)),
            partial(_write_table, release.connection, table, whose, folder.path / "tables"),
        )
        if "deliveries" in table.column_names:
            found = fetch(release.connection, f"select distinct deliveries from ({query})")
            named[table.name] = named_deliveries(found)
    return named


def _write_table(
    connection: duckdb.DuckDBPyConnection, table: TableRef, whose: Partnership, folder: Path
) -> None:
    write_csv(connection, table, whose, folder / f"{table.name}.csv")
    write_parquet(connection, table, whose, folder / f"{table.name}.parquet")


def _draw_charts(
    release: _Release,
    whose: Partnership,
    rows: Mapping[str, Sequence[Row]],
    folder: ExportFolder | None = None,
) -> dict[str, list["Chart"]]:
    """Draw every exhibit that has a chart, into ``folder`` where there is one.

    Returns the charts by the exhibit's table.
    """
    # Matplotlib takes most of a second to import: only where something is drawn.
    from orchestration.exports.charts.exhibit_charts import chart_of

    if folder:
        (folder.path / "charts").mkdir()
    areas = places(whose, release.areas)
    drawn = {}
    for exhibit in release.catalogue.exhibits:
        own = rows.get(exhibit.table, ())
        if not exhibit.chart or not own:
            continue
        footnotes = _footnotes(release, exhibit.table, own)
        synthetic = _is_synthetic(release, own)
        charts = []
        for place in areas:
            slug = exhibit.slug if len(areas) == 1 else f"{exhibit.slug}_{place.code}"
            inputs = (exhibit, own, whose, place, slug, footnotes, synthetic)
            charts.append(_drawn(release, slug, inputs, partial(chart_of, *inputs), folder))
        drawn[exhibit.table] = [chart for chart in charts if chart]
    if diagrams := _draw_system(release, whose, rows, folder):
        drawn[DIAGRAM] = diagrams
    return drawn


def _drawn(
    release: _Release,
    slug: str,
    inputs: Sequence[object],
    draw: Callable[[], "Chart | None"],
    folder: ExportFolder | None,
) -> "Chart | None":
    """Return a chart, read from ``folder`` where it is kept there: drawn, or taken over."""
    if folder:
        return kept_chart(folder, slug, inputs, draw)
    chart = draw()
    notice = release.facts.restricted_notice
    return replace(chart, alt=f"{notice} {chart.alt}") if chart and notice else chart


def _draw_system(
    release: _Release,
    whose: Partnership,
    rows: Mapping[str, Sequence[Row]],
    folder: ExportFolder | None,
) -> list["Chart"]:
    """Draw Figure 1 for each area of a partnership of which there is a number."""
    from orchestration.exports.charts.system_diagram import system_diagram

    used = _system_rows(rows)
    footnotes, synthetic = _footnotes(release, DIAGRAM, used), _is_synthetic(release, used)
    rounded_to = {table.name: table.rounded_to for table in release.tables if table.rounded_to}
    areas = places(whose, release.areas)
    drawn = []
    for place in areas:
        if stages := numbers_known(rows, place, rounded_to):
            slug = DIAGRAM if len(areas) == 1 else f"{DIAGRAM}_{place.code}"
            inputs = (stages, diagram_words(stages, place, slug, footnotes, synthetic))
            drawn.append(_drawn(release, slug, inputs, partial(system_diagram, *inputs), folder))
    return [chart for chart in drawn if chart]


def _system_rows(rows: Mapping[str, Sequence[Row]]) -> list[Row]:
    return [row for table in system_tables() for row in rows.get(table, ())]


def _write_pack(
    release: _Release,
    whose: Partnership,
    rows: Mapping[str, Sequence[Row]],
    charts: Mapping[str, Sequence["Chart"]],
    texts: PackTexts,
    folder: ExportFolder,
) -> None:
    from orchestration.exports.pack.html_page import pack_html
    from orchestration.exports.pack.word_document import pack_docx

    data = extent(release.facts, release.up_to, whose)
    shows = {
        exhibit.slug: shown(
            exhibit,
            release.table(exhibit.table),
            _rows_of(exhibit, rows),
            whose,
            charts.get(exhibit.table or exhibit.slug, ()),
            _titles(release, _rows_of(exhibit, rows)),
            _is_synthetic(release, _rows_of(exhibit, rows)),
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
        texts,
    )
    made_at = datetime.combine(end, time())

    def write() -> None:
        (folder.path / "pack.html").write_bytes(pack_html(made))
        (folder.path / "pack.docx").write_bytes(pack_docx(made, made_at))

    folder.make(["pack.html", "pack.docx"], (made, made_at), write)


def _write_explore(release: _Release, whose: Partnership, folder: ExportFolder) -> None:
    from orchestration.exports.charts.line_charts import area_colours
    from orchestration.exports.explore.explore_data import (
        explore_areas,
        explore_map,
        explore_subjects,
    )
    from orchestration.exports.explore.explore_page import PageWords, explore_html

    read = (release.connection, release.tables, whose)
    data = extent(release.facts, release.up_to, whose)
    words = PageWords(
        f"{whose.name}: figures to explore",
        tuple(filter(None, [release.facts.synthetic_notice])),
        data.headline,
        f"{release.facts.product}, release of {release.facts.quarter_label}",
    )
    content = {
        "subjects": explore_subjects(*read, partial(_titles, release)),
        "areas": explore_areas(*read),
        "map": explore_map(*read),
    }
    inputs = (words, area_colours(), content)
    path = folder.path / "explore.html"
    folder.make([path.name], inputs, lambda: path.write_bytes(explore_html(*inputs)))


def _rows_of(exhibit: Exhibit, rows: Mapping[str, Sequence[Row]]) -> Sequence[Row]:
    return _system_rows(rows) if exhibit.slug == DIAGRAM else rows.get(exhibit.table, ())


def _footnotes(release: _Release, table: str, rows: Sequence[Row]) -> list[str]:
    """Return the lines under a chart: the table's note, the marks, the source.

    The whole notice on synthetic data and the rules of rounding are at one place of the pack.
    """
    notes = [release.facts.restricted_notice] if release.facts.restricted_notice else []
    ref = release.table(table)
    if ref is not None and ref.rounded_to:
        notes.append(f"Inner counts are rounded to a multiple of {ref.rounded_to}.")
    elif ref is not None and ref.note:
        notes.append(ref.note)
    if _is_synthetic(release, rows):
        notes.append(f"{SYNTHETIC_MARK}.")
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


def _sources(release: _Release, rows: Sequence[Row]) -> list[Row]:
    """Return the sources of the deliveries that ``rows`` name."""
    named = named_deliveries(rows)
    return [
        source
        for source in release.sources
        if f"{source['source']} {source['quarter']} v{source['version']}" in named
    ]


def _suppliers(release: _Release, rows: Sequence[Row]) -> list[str]:
    """Return who supplied the deliveries that ``rows`` name."""
    return sorted(
        {
            str(source["supplier"] or source["title"] or source["source"])
            for source in _sources(release, rows)
        }
    )


def _titles(release: _Release, rows: Sequence[Row]) -> list[str]:
    """Return the titles of the sources behind ``rows``, each with its supplier."""
    return sorted(
        {
            f"{source['title'] or source['source']}"
            f"{', from ' + str(source['supplier']) if source['supplier'] else ''}"
            f"{' (synthetic data)' if source['nature'] == 'synthetic' else ''}"
            for source in _sources(release, rows)
        }
    )


def _is_synthetic(release: _Release, rows: Sequence[Row]) -> bool:
    """Say whether any delivery that ``rows`` name is synthetic."""
    return any(source["nature"] == "synthetic" for source in _sources(release, rows))


def _write_workbook(
    release: _Release,
    whose: Partnership,
    rows: Mapping[str, Sequence[Row]],
    charts: Mapping[str, Sequence["Chart"]],
    folder: ExportFolder,
) -> None:
    from orchestration.exports.workbook.sheet_table import SheetTable
    from orchestration.exports.workbook.workbook import write_workbook

    sheets, absent = [], []
    for exhibit in release.catalogue.exhibits:
        table, own = release.table(exhibit.table), rows.get(exhibit.table)
        if table is None or not own:
            reason = absence(exhibit, table is not None, (), whose)
            if not exhibit.table and exhibit.slug in charts:
                reason = "a diagram in the pack"
            absent.append(f"{exhibit.label} ({reason})")
            continue
        ordered = ordered_rows(own, exhibit.workbook_order_by)
        sheets.append(SheetTable(exhibit, table, ordered, _is_synthetic(release, own)))
    if not sheets:
        return
    inputs = (
        _without_build(release.facts),
        whose,
        sheets,
        _credits(release.sources),
        absent,
        extent(release.facts, release.up_to, whose),
    )
    path = folder.path / "workbook.xlsx"
    folder.make([path.name], inputs, lambda: write_workbook(path, *inputs))


def _without_build(facts: ReleaseFacts) -> ReleaseFacts:
    """Return what a release says of itself, without what is new in each build of it.

    A file that is made from it is the same in each build of the same figures.
    """
    return replace(facts, built_at=datetime.min, content_digest="")


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
