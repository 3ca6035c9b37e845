"""The pack's content in the order of the assessment, independent of its form.

``html_page`` and ``word_document`` give it a form. Pure assembly of a release's rows; an exhibit
that the release does not hold is listed with the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orchestration.exports.charts.chart_text import SHORTHAND
from orchestration.exports.findings.finding_text import listed
from orchestration.exports.findings.key_findings import finding_notes
from orchestration.exports.pack.data_extent import Extent
from orchestration.exports.pack.finding_groups import KeyFindings, key_findings
from orchestration.exports.pack.general_notes import GeneralNote, shared_notes
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
    emptiness,
    grid,
    rows_after_shown,
    scope,
    shown_rows,
    unnumbered,
)
from orchestration.exports.texts.pack_texts import PackTexts, ShownText
from orchestration.exports.texts.text_files import OPENING_PARTS
from orchestration.releases.report_metadata import Exhibit

if TYPE_CHECKING:
    from orchestration.exports.charts.line_charts import Chart


@dataclass(frozen=True)
class Shown:
    """An exhibit as the pack shows it; ``reason`` is set where it shows nothing else.

    ``more`` says where the rest of its rows are, where the pack shows but some. ``general`` has the
    numbers of the general notes that apply to it.
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
    general: tuple[int, ...] = ()

    @property
    def shorthand(self) -> tuple[tuple[str, str], ...]:
        """The markers in its table, with their meaning."""
        return tuple((marker, SHORTHAND[marker]) for marker in (self.grid.shorthand
                                                                if self.grid else ()))  # fmt: skip


@dataclass(frozen=True)
class Chapter:
    """A section of the assessment with what it shows, and the analyst's text on it, if any."""

    title: str
    exhibits: tuple[Shown, ...]
    text: ShownText | None = None


@dataclass(frozen=True)
class Pack:
    """Everything in a pack. ``sources`` has title, supplier, licence, nature and deliveries.

    ``up_to`` says up to when the data go, ``outdated`` whether that is before the quarter, and
    ``restricted_notice`` what every page says where the counts are the true ones. ``opening`` are
    the analyst's texts before the key findings.
    """

    title: str
    partnership: str
    quarter: str
    as_at: str
    up_to: str
    outdated: bool
    product: str
    synthetic_notice: str
    findings: KeyFindings
    chapters: tuple[Chapter, ...]
    sources: tuple[tuple[str, ...], ...]
    shorthand: tuple[tuple[str, str], ...]
    restricted_notice: str = ""
    opening: tuple[ShownText, ...] = ()
    general_notes: tuple[GeneralNote, ...] = ()


def general_reference(show: Shown) -> str:
    """Return the general notes that apply to an exhibit, such as general notes 1 and 3."""
    noun = "general note" if len(show.general) == 1 else "general notes"
    return f"{noun} {listed([str(number) for number in show.general])}"


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

    ``up_to`` says up to when its data go. A diagram of several tables has charts and no table.
    """
    if table is None and charts:
        return Shown(exhibit.slug, exhibit.label, exhibit.subject, "", None, tuple(charts), (),
                     tuple(sources), "", synthetic, False)  # fmt: skip
    reason = absence(exhibit, table is not None, rows, whose)
    if table is None or reason:
        return Shown(exhibit.slug, exhibit.label, exhibit.subject, "", None, (), (), (), "",
                     False, False, reason)  # fmt: skip
    chosen = shown_rows(exhibit, rows, whose)
    if empty := emptiness(exhibit, chosen):
        more = f". {_more(exhibit, rows, chosen)}".rstrip(" .")
        return Shown(exhibit.slug, exhibit.label, exhibit.subject, "", None, (), (), (), "",
                     False, False, f"{empty}{more}")  # fmt: skip
    made = grid(exhibit, chosen)
    used = {field.note for field in exhibit.columns if field.note and not exhibit.cross_table}
    notes = [
        brackets_note(exhibit),
        table.note,
        *data_notes([*chosen, *rows_after_shown(exhibit, rows, whose)]),
        *(note.words(table.meanings) for key, note in exhibit.notes.items() if key in used),
        up_to,
    ]
    return Shown(
        slug=exhibit.slug,
        label=exhibit.label,
        # The label comes before the title; the release's title begins with it.
        title=unnumbered(table.title),
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


def _noted(
    sections: Sequence[Section],
    shows: Mapping[str, Shown],
    rows: Mapping[str, Sequence[Row]],
    place: Place,
) -> tuple[dict[str, Shown], tuple[GeneralNote, ...]]:
    """Add why an exhibit has no key finding, and take out the notes that several share."""
    exhibits = [exhibit for section in sections for exhibit in section.exhibits]
    notes: dict[str, tuple[str, ...]] = {}
    for one in exhibits:
        more = finding_notes(one.table, rows.get(one.table, ()), place)
        notes[one.label] = (*shows[one.slug].notes, *more)
    shared = shared_notes(notes)
    noted = {
        one.slug: replace(
            shows[one.slug], notes=shared.own[one.label], general=shared.applying[one.label]
        )
        for one in exhibits
    }
    return noted, shared.general


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
    texts: PackTexts,
) -> Pack:
    """Put a pack together.

    ``shows`` has every exhibit by its slug, ``rows`` the tables' rows, ``rounded_to`` the multiple
    of each table whose counts are rounded, and ``texts`` the analyst's own text.
    """
    shows, general = _noted(sections, shows, rows, places[0])
    chapters = tuple(
        Chapter(
            section.title,
            tuple(shows[exhibit.slug] for exhibit in section.exhibits),
            texts.of(section.name),
        )
        for section in sections
    )
    # Of the partnership: its districts, where it has several, are in the tables and charts.
    said = key_findings(
        sections, lambda exhibit: bool(rows.get(exhibit.table)), rows, places[0], rounded_to
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
        opening=tuple(one for one in texts.shown if one.part in OPENING_PARTS),
        general_notes=general,
    )
