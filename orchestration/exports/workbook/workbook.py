"""The workbook: cover, contents, notes and one table a sheet, to the Analysis Function's guidance.

``gptables`` lays it out. Cells hold values, or the marker that explains an empty one. Text is
never run as a formula. Unlike the guidance, headers remain in view, tables have filters, and
monthly series have charts, which people who work in the workbook asked for.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from pathlib import Path
from textwrap import wrap
from types import MappingProxyType
from typing import Any

import gptables
import pandas
from xlsxwriter.utility import xl_cell_to_rowcol

from orchestration.config.quarters import quarter_end
from orchestration.exports.charts.chart_text import SHORTHAND, SYNTHETIC_MARK, day_name
from orchestration.exports.deterministic_zip import with_language
from orchestration.exports.pack.data_extent import Extent
from orchestration.exports.pack.table_notes import data_notes
from orchestration.exports.report_definition.row_selection import (
    Partnership,
    ReleaseFacts,
    Row,
)
from orchestration.exports.report_definition.table_layout import cell_text, unnumbered
from orchestration.exports.workbook.monthly_charts import add_monthly_charts, has_monthly_charts
from orchestration.exports.workbook.sheet_table import SheetTable
from orchestration.releases.report_metadata import Form, ReportColumn

_NUMBER_FORMATS: Mapping[Form, str] = MappingProxyType(
    {
        "count": "#,##0",
        "rate": "#,##0.0",
        "limit": "#,##0.0",
        "percent": "0.#",
        "share": "0.0%",
        "year": "0",
    }
)

_A4 = 9
_MONTH_FORMAT = "mmmm yyyy"
_MONTH_WIDTH = 18
"""Characters of the longest month with its year, and some room."""

_LINE = 15.75
"""Points from one line of a sheet's text to the next."""

_RESTRICTED_COLOUR = "#8A1C1C"
_ONE_TABLE = "This worksheet contains one table."
_ONE_TABLE_WITH_CHARTS = "This worksheet contains one table, and its charts beside it."
_COVER_WIDTH = 95
_NOTE_WIDTH = 110
_FIRST_NOTE = 3
"""Row of the first note, counted from 0: title, instructions and header are above."""


def write_workbook(
    path: Path,
    release: ReleaseFacts,
    whose: Partnership,
    sheets: Sequence[SheetTable],
    credits: Sequence[str],
    absent: Sequence[str],
    data: Extent,
) -> None:
    """Write the workbook of a partnership to ``path``.

    ``credits`` describes the sources, ``absent`` what the release does not hold, ``data`` how far
    the data go. The file states its language and carries the end of the quarter as its date
    of creation, so that the same figures give the same bytes.
    """
    notes = _notes(sheets)
    title = f"{whose.name}: strategic assessment tables, {release.quarter_label}"
    if release.restricted_notice:
        title += ", restricted edition"
    labels = {sheet.table.name: sheet.exhibit.label for sheet in sheets}
    cover = _cover(title, release, credits, absent, _extent_texts(data, labels))
    workbook = gptables.produce_workbook(
        str(path),
        sheets={sheet.exhibit.label: _sheet(sheet, release, notes) for sheet in sheets},
        cover=cover,
        contentsheet_options={"subtitles": _subtitles(release)}
        if release.restricted_notice
        else None,
        notesheet_options={"instructions": f"{release.restricted_notice} {_ONE_TABLE}"}
        if release.restricted_notice
        else None,
        notes_table=pandas.DataFrame({"Reference": list(notes), "Note text": list(notes.values())}),
        workbook_options={"strings_to_formulas": False, "strings_to_urls": False},
    )
    workbook.set_properties(
        {
            "title": title,
            "subject": f"Community safety, {release.quarter_label}",
            "author": release.product,
            "company": whose.name,
            "comments": " ".join(
                filter(None, (release.restricted_notice, release.synthetic_notice))
            ),
            "created": datetime.combine(quarter_end(release.quarter), time()),
        }
    )
    _lay_out(workbook, [title, *_cover_texts(cover)], list(notes.values()))
    for sheet in sheets:
        _make_usable(workbook, sheet)
    if release.restricted_notice:
        _mark_pages(workbook, release.restricted_notice)
    workbook.close()
    path.write_bytes(with_language(path.read_bytes()))


def _lay_out(workbook: Any, cover_texts: Sequence[str], notes: Sequence[str]) -> None:
    """Make every sheet fit the width of a page, and long texts the height of their rows.

    Not every program sets the height of a row with wrapped text when it opens a file.
    """
    for sheet in workbook.worksheets():
        sheet.set_paper(_A4)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
    cover = workbook.get_worksheet_by_name("Cover")
    for place, text in enumerate(cover_texts):
        cover.set_row(place, _height(text, _COVER_WIDTH, 21 if place == 0 else _LINE))
    sheet = workbook.get_worksheet_by_name("Notes")
    sheet.set_column(1, 1, _NOTE_WIDTH)
    for place, text in enumerate(notes, start=_FIRST_NOTE):
        sheet.set_row(place, _height(text, _NOTE_WIDTH, _LINE))


def _make_usable(workbook: Any, sheet: SheetTable) -> None:
    """Keep the header of a table in view, let readers filter it, print it alone, and chart it."""
    worksheet = workbook.get_worksheet_by_name(sheet.exhibit.label)
    (table,) = worksheet.tables
    table["autofilter"] = table["a_range"]
    start, end = table["range"].split(":")
    header, column = xl_cell_to_rowcol(start)
    for place, field in enumerate(sheet.fields):
        if field.form == "month":
            worksheet.set_column(column + place, column + place, _MONTH_WIDTH)
    worksheet.freeze_panes(header + 1, 0)
    worksheet.repeat_rows(header)
    worksheet.print_area(0, column, *xl_cell_to_rowcol(end))
    add_monthly_charts(workbook, worksheet, sheet, header)


def _mark_pages(workbook: Any, notice: str) -> None:
    """Mark each sheet as restricted: on its tab, and at head and foot of each printed page."""
    words = notice.replace("&", "&&")
    for sheet in workbook.worksheets():
        sheet.set_tab_color(_RESTRICTED_COLOUR)
        sheet.set_header(f'&C&"Arial,Bold"{words}')
        sheet.set_footer(f'&L&"Arial,Bold"{words}&R&P')


def _subtitles(release: ReleaseFacts) -> list[str]:
    """Return what comes under the title of a sheet: that the edition is restricted, if it is."""
    return [release.restricted_notice] if release.restricted_notice else []


def _cover_texts(cover: gptables.Cover) -> list[str]:
    """Return the texts of the cover under its title as they come, with their headings."""
    return ["Introductory information", *cover.intro, "About these data", *cover.about]


def _height(text: str, width: int, line: float) -> float:
    """Return the height of a row with ``text`` in a column of ``width`` characters, in points."""
    # Letters of the sheets are larger than those by which a column's width is counted.
    return line * max(1, len(wrap(text, int(width * (1.0 if line == _LINE else 0.7)))))


def _extent_texts(data: Extent, labels: Mapping[str, str]) -> list[str]:
    older = data.older(labels)
    return [
        data.headline.replace("this pack is", "this workbook is"),
        *([f"Data that end before the quarter: {', '.join(older)}."] if older else []),
    ]


def _cover(
    title: str,
    release: ReleaseFacts,
    credits: Sequence[str],
    absent: Sequence[str],
    extent: Sequence[str],
) -> gptables.Cover:
    missing = [f"Not in this workbook: {'; '.join(absent)}."] if absent else []
    notice = [*_subtitles(release)]
    if release.synthetic_notice:
        notice.append(release.synthetic_notice)
    return gptables.Cover(
        width=_COVER_WIDTH,
        title=title,
        intro=[
            *notice,
            f"The tables and the data behind the figures of the strategic assessment, as at the "
            f"end of {release.quarter_label} ({day_name(quarter_end(release.quarter))}).",
            *extent,
            "A cell without a value holds a marker that says why. Nothing missing is shown as 0.",
            *missing,
        ],
        about=[f"Source: {credit}" for credit in credits] or ["The release names no source."],
    )


def _notes(sheets: Sequence[SheetTable]) -> dict[str, str]:
    """Return the notes that the sheets refer to, by reference, in order of first use."""
    notes: dict[str, str] = {}
    for sheet in sheets:
        words = " ".join(filter(None, (sheet.table.note, *data_notes(sheet.rows))))
        if words:
            notes[sheet.table.name] = words
        for field in sheet.fields:
            if field.note:
                notes[field.note] = sheet.exhibit.notes[field.note].words(sheet.table.meanings)
    return notes


def _sheet(sheet: SheetTable, release: ReleaseFacts, notes: Mapping[str, str]) -> gptables.GPTable:
    reference = f" $${sheet.table.name}$$" if sheet.table.name in notes else ""
    cells = pandas.DataFrame(
        {
            field.heading: pandas.Series([_cell(row, field) for row in sheet.rows], dtype=object)
            for field in sheet.fields
        }
    )
    shown = {str(value) for value in cells.to_numpy().ravel() if isinstance(value, str)}
    return gptables.GPTable(
        table=cells,
        table_name=sheet.table.name,
        title=f"{_headed(sheet)}{reference}",
        subtitles=_subtitles(release),
        instructions=f"{_ONE_TABLE_WITH_CHARTS if has_monthly_charts(sheet) else _ONE_TABLE} "
        "Numbers in square brackets after the word note refer to the Notes worksheet.",
        scope=f"{SYNTHETIC_MARK}, see the cover." if sheet.synthetic else None,
        legend=_legend(shown),
        table_notes={field.heading: f"$${field.note}$$" for field in sheet.fields if field.note},
        index_columns={},
        additional_formatting=[
            {"column": {"columns": [place], "format": _format(field)}}
            for place, field in enumerate(sheet.fields)
            if place or field.form in _NUMBER_FORMATS or field.form == "month"
        ],
    )


def _format(field: ReportColumn) -> dict[str, object]:
    """Return the format of a column: figures in their form, text clear of figures before it."""
    form = _NUMBER_FORMATS.get(field.form)
    if field.form == "month":
        return {"num_format": _MONTH_FORMAT, "align": "left", "indent": 1}
    return {"num_format": form} if form else {"indent": 1}


def _headed(sheet: SheetTable) -> str:
    """Return the title of the table after the label of the sheet, which comes once."""
    return f"{sheet.exhibit.label}: {unnumbered(sheet.table.title)}"


def _legend(shown: set[str]) -> list[str]:
    """Explain the markers that a sheet shows."""
    return [
        f"{marker} means {meaning}."
        for marker, meaning in SHORTHAND.items()
        if any(marker in text for text in shown)
    ]


def _cell(row: Row, field: ReportColumn) -> object:
    """Return the content of a cell: the value, or the word or marker instead of one."""
    value = row[field.column]
    if value is None:
        return cell_text(row, field.model_copy(update={"show_marker": False}))
    return value
