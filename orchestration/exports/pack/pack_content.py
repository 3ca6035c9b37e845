"""The pack's content in the order of the assessment, independent of its form.

``html_page`` and ``word_document`` give it a form. Pure assembly of a release's rows; an exhibit
that the release does not hold is listed with the reason.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestration.exports.charts.chart_text import SHORTHAND
from orchestration.exports.pack.data_extent import Extent
from orchestration.exports.pack.key_findings import findings
from orchestration.exports.pack.table_notes import data_notes
from orchestration.exports.report_definition.report_catalogue import Section
from orchestration.exports.report_definition.row_selection import (
    Partnership,
    Place,
    ReleaseFacts,
    Row,
    TableRef,
)
from orchestration.exports.report_definition.table_layout import (
    Grid,
    absence,
    brackets_note,
    grid,
    scope,
    shown_rows,
)
from orchestration.releases.report_metadata import Exhibit

if TYPE_CHECKING:
    from orchestration.exports.charts.line_charts import Chart

_PRINTED_NUMBER = re.compile(r"^(Table|Figure|Appendix) \w+: ")


@dataclass(frozen=True)
class Shown:
    """An exhibit as the pack shows it; ``reason`` is set where it shows nothing else.

    ``more`` says where the rest of its rows are, where the pack shows but some.
    """

    slug: str
    label: str
    title: str
    scope: str
    grid: Grid | None
    charts: tuple["Chart", ...]
    notes: tuple[str, ...]
    sources: tuple[str, ...]
    more: str
    synthetic: bool
    wide: bool
    reason: str = ""

    @property
    def shorthand(self) -> tuple[tuple[str, str], ...]:
        """The markers in its table, with their meaning."""
        return tuple((marker, SHORTHAND[marker]) for marker in (self.grid.shorthand
                                                                if self.grid else ()))  # fmt: skip


@dataclass(frozen=True)
class Chapter:
    """A section of the assessment with what it shows."""

    title: str
    exhibits: tuple[Shown, ...]


@dataclass(frozen=True)
class Finding:
    """A sentence, the exhibit (label, slug) whose figures carry it, and if they are rounded."""

    text: str
    label: str
    slug: str
    rounded: bool = False


@dataclass(frozen=True)
class Pack:
    """Everything in a pack. ``sources`` has title, supplier, licence, nature and deliveries.

    ``up_to`` says up to when the data go, ``outdated`` whether that is before the quarter, and
    ``restricted_notice`` what every page says where the counts are the true ones.
    """

    title: str
    partnership: str
    quarter: str
    as_at: str
    up_to: str
    outdated: bool
    product: str
    synthetic_notice: str
    findings: tuple[Finding, ...]
    chapters: tuple[Chapter, ...]
    sources: tuple[tuple[str, ...], ...]
    shorthand: tuple[tuple[str, str], ...]
    restricted_notice: str = ""


def shown(
    exhibit: Exhibit,
    table: TableRef | None,
    rows: Sequence[Row],
    whose: Partnership,
    charts: Sequence["Chart"],
    sources: Sequence[str],
    synthetic: bool,
    up_to: str,
) -> Shown:
    """Return how the pack shows an exhibit of a release; ``table`` is none where it lacks it.

    ``up_to`` says up to when its data go.
    """
    reason = absence(exhibit, table is not None, rows, whose)
    if table is None or reason:
        return Shown(exhibit.slug, exhibit.label, exhibit.subject, "", None, (), (), (), "",
                     False, False, reason)  # fmt: skip
    chosen = shown_rows(exhibit, rows, whose)
    made = grid(exhibit, chosen)
    used = {field.note for field in exhibit.columns if field.note and not exhibit.cross_table}
    notes = [
        brackets_note(exhibit),
        table.note,
        *data_notes(chosen),
        *(note.words(table.meanings) for key, note in exhibit.notes.items() if key in used),
        up_to,
    ]
    return Shown(
        slug=exhibit.slug,
        label=exhibit.label,
        # The label comes before the title; the release's title begins with it.
        title=_PRINTED_NUMBER.sub("", table.title),
        scope=scope(exhibit, chosen),
        grid=made if made.rows else None,
        charts=tuple(charts),
        notes=tuple(note for note in notes if note),
        sources=tuple(sources),
        more=_more(exhibit, rows, chosen),
        synthetic=synthetic,
        wide=exhibit.landscape,
    )


def _more(exhibit: Exhibit, rows: Sequence[Row], chosen: Sequence[Row]) -> str:
    if len(rows) == len(chosen):
        return ""
    return f"All {len(rows):,} rows are in the workbook, sheet {exhibit.label}."


def pack(
    release: ReleaseFacts,
    whose: Partnership,
    sections: Sequence[Section],
    shows: Mapping[str, Shown],
    rows: Mapping[str, Sequence[Row]],
    places: Sequence[Place],
    as_at: str,
    sources: Sequence[tuple[str, ...]],
    data: Extent,
    rounded_to: Mapping[str, int],
) -> Pack:
    """Put a pack together.

    ``shows`` has every exhibit by its slug, ``rows`` the tables' rows, and ``rounded_to`` the
    multiple of each table whose counts are rounded.
    """
    chapters = tuple(
        Chapter(section.title, tuple(shows[exhibit.slug] for exhibit in section.exhibits))
        for section in sections
    )
    said = tuple(
        Finding(text, exhibit.label, exhibit.slug, exhibit.table in rounded_to)
        for place in places
        for section in sections
        for exhibit in section.exhibits
        if not shows[exhibit.slug].reason
        for text in findings(
            exhibit.table, rows[exhibit.table], place, rounded_to.get(exhibit.table)
        )
    )
    present = {marker for show in shows.values() for marker, _ in show.shorthand}
    return Pack(
        title=f"{whose.name}: strategic assessment data pack, {release.quarter_label}"
        f"{', restricted edition' if release.restricted_notice else ''}",
        partnership=whose.name,
        quarter=release.quarter_label,
        as_at=as_at,
        up_to=data.headline,
        outdated=data.outdated,
        product=release.product,
        synthetic_notice=release.synthetic_notice or "",
        findings=said,
        chapters=chapters,
        sources=tuple(sources),
        shorthand=tuple(item for item in SHORTHAND.items() if item[0] in present),
        restricted_notice=release.restricted_notice,
    )
