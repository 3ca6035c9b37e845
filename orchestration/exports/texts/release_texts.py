"""The figures of a partnership, read from a release and from the releases before it."""

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import duckdb

from orchestration.exports.errors import ExportError
from orchestration.exports.findings.key_findings import places
from orchestration.exports.report_definition.report_catalogue import read_catalogue
from orchestration.exports.report_definition.row_selection import (
    Partnership,
    areas,
    exported_tables,
    partnership,
    release_facts,
    selected_rows,
)
from orchestration.exports.texts.figure_catalogue import Figure, FigureCatalogue
from orchestration.exports.texts.number_check import SubjectFigures
from orchestration.exports.texts.pack_texts import PackTexts, pack_texts
from orchestration.exports.texts.subjects import load_subjects
from orchestration.exports.texts.text_files import has_texts
from orchestration.releases.errors import ReleaseUnreadableError
from orchestration.releases.published_file import PUBLISHED_FILE, open_release
from orchestration.releases.release_registry import SUPERSEDED

_QUARTERS_BEFORE = 4
_BUILDS_BEFORE = 5


def release_texts(
    connection: duckdb.DuckDBPyConnection, published: Path, root: Path | None, whose: Partnership
) -> PackTexts:
    """Return the texts of a partnership with the figures of the release that is open.

    ``published`` is its file, beside which earlier releases are looked for.
    """
    if root is None or not has_texts(root, whose.csp):
        return PackTexts()
    quarter = release_facts(connection).quarter
    figures = read_figures(connection, whose)
    earlier = earlier_figures(published, quarter, whose.csp)
    return pack_texts(root, whose.csp, quarter, figures, subject_figures(figures, earlier))


def check_release(published: Path, root: Path, csp: str) -> PackTexts:
    """Return the texts of a partnership with what is wrong in them, for a published file."""
    with open_release(published, threads=1) as connection:
        return release_texts(connection, published, root, partnership(connection, csp))


def release_figures(published: Path, csp: str) -> FigureCatalogue:
    """Return the figures of a partnership that its texts may insert, from a published file."""
    with open_release(published, threads=1) as connection:
        return read_figures(connection, partnership(connection, csp))


def read_figures(
    connection: duckdb.DuckDBPyConnection, whose: Partnership, tables: Iterable[str] | None = None
) -> FigureCatalogue:
    """Return the figures of a partnership in the release that is open, of some tables or all."""
    only = None if tables is None else set(tables)
    catalogue = read_catalogue(connection)
    shown = {one.table for one in catalogue.exhibits if one.table and not one.withheld}
    reports = [
        table
        for table in exported_tables(connection)
        if table.schema == "reports"
        and table.name in shown
        and (only is None or table.name in only)
    ]
    return FigureCatalogue(
        exhibits=[one for one in catalogue.exhibits if one.table in {ref.name for ref in reports}],
        rows={table.name: selected_rows(connection, table, whose) for table in reports},
        rounded_to={table.name: table.rounded_to for table in reports if table.rounded_to},
        place=places(whose, areas(connection))[0],
        subjects=load_subjects(),
    )


def subject_figures(
    figures: FigureCatalogue, earlier: Iterable[tuple[str, Figure]]
) -> list[SubjectFigures]:
    """Return what is known of each subject; ``earlier`` has what each figure is of."""
    known = list(figures.figures_by_subject())
    before = list(earlier)
    return [
        SubjectFigures(
            subject,
            [figure for of, figure in known if of.name == subject.name],
            figures.known(subject),
            figures.latest_periods(subject),
            [one for one in before if one[1].name.startswith(f"{subject.name}.")],
        )
        for subject in figures.subjects
        if subject.table in figures.rows
    ]


def earlier_figures(published: Path, quarter: date, csp: str) -> Iterator[tuple[str, Figure]]:
    """Yield the figures with short names of the releases before one, each with what it is of.

    They are the builds of the quarter that it replaced, and the releases of the quarters before.
    One that cannot be read, or does not know the partnership, is left out.
    """
    tables = [subject.table for subject in load_subjects()]
    for path in earlier_releases(published, quarter):
        try:
            with open_release(path, threads=1) as connection:
                facts = release_facts(connection)
                found = read_figures(connection, partnership(connection, csp), tables)
        except (ReleaseUnreadableError, ExportError, duckdb.Error):
            continue
        replaced = facts.quarter == quarter
        label = f"{'an earlier build' if replaced else 'the release'} of {facts.quarter_label}"
        for figure in found.short_figures():
            if figure.value is not None:
                yield label, figure


def earlier_releases(published: Path, quarter: date) -> list[Path]:
    """Return the files of earlier releases beside a published file, the latest first."""
    own = published.parent
    root = own.parent if own.name == quarter.isoformat() else own
    builds = root.glob(f"{quarter}/{SUPERSEDED}/*/{PUBLISHED_FILE}")
    before = (
        path
        for path in root.glob(f"*-*-*/{PUBLISHED_FILE}")
        if path.parent.name < quarter.isoformat()
    )
    return [
        *sorted(builds, reverse=True)[:_BUILDS_BEFORE],
        *sorted(before, reverse=True)[:_QUARTERS_BEFORE],
    ]
