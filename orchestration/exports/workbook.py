"""The workbook: cover, contents, notes and one table a sheet, to the Analysis Function's guidance.

``gptables`` lays it out. Cells hold values, or the marker that says why there is none; text is
never taken for a formula.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from pathlib import Path
from types import MappingProxyType

import gptables
import pandas

from orchestration.exports.archives import with_language
from orchestration.exports.assessment import COLUMN_NOTES, Exhibit, Field, Form
from orchestration.exports.grids import cell_text
from orchestration.exports.selection import Partnership, ReleaseFacts, Row, TableRef
from orchestration.exports.words import SHORTHAND, day_name
from orchestration.quarters import quarter_end

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


@dataclass(frozen=True)
class SheetTable:
    """An exhibit of the release as a sheet: its table, its rows, and whether they are synthetic."""

    exhibit: Exhibit
    table: TableRef
    rows: Sequence[Row]
    synthetic: bool

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns of the exhibit that the release has."""
        names = self.table.column_names
        return tuple(field for field in self.exhibit.fields if field.column in names)


def write_workbook(
    path: Path,
    release: ReleaseFacts,
    whose: Partnership,
    sheets: Sequence[SheetTable],
    credits: Sequence[str],
    absent: Sequence[str],
) -> None:
    """Write the workbook of a partnership to ``path``.

    ``credits`` names the sources in words, ``absent`` what the release does not hold. The file
    states its language and carries the end of the quarter as its date of
    creation, so that the same figures give the same bytes.
    """
    notes = _notes(sheets)
    title = f"{whose.name}: strategic assessment tables, {release.quarter_label}"
    workbook = gptables.produce_workbook(
        str(path),
        sheets={sheet.exhibit.label: _sheet(sheet, release, notes) for sheet in sheets},
        cover=_cover(title, release, credits, absent),
        notes_table=pandas.DataFrame({"Reference": list(notes), "Note text": list(notes.values())}),
        workbook_options={"strings_to_formulas": False, "strings_to_urls": False},
    )
    workbook.set_properties(
        {
            "title": title,
            "subject": f"Community safety, {release.quarter_label}",
            "author": release.product,
            "company": whose.name,
            "comments": release.synthetic_notice or "",
            "created": datetime.combine(quarter_end(release.quarter), time()),
        }
    )
    workbook.close()
    path.write_bytes(with_language(path.read_bytes()))


def _cover(
    title: str, release: ReleaseFacts, credits: Sequence[str], absent: Sequence[str]
) -> gptables.Cover:
    missing = [f"Not in this workbook: {'; '.join(absent)}."] if absent else []
    notice = [release.synthetic_notice] if release.synthetic_notice else []
    return gptables.Cover(
        title=title,
        intro=[
            *notice,
            f"The tables and the data behind the figures of the strategic assessment, as at the "
            f"end of {release.quarter_label} ({day_name(quarter_end(release.quarter))}).",
            "A cell without a value holds a marker that says why. Nothing missing is shown as 0.",
            *missing,
        ],
        about=[f"Source: {credit}" for credit in credits] or ["The release names no source."],
    )


def _notes(sheets: Sequence[SheetTable]) -> dict[str, str]:
    """Return the notes that the sheets refer to, by reference, in order of first use."""
    notes: dict[str, str] = {}
    for sheet in sheets:
        if sheet.table.note:
            notes[sheet.table.name] = sheet.table.note
        for field in sheet.fields:
            if field.note:
                notes[field.note] = dict(COLUMN_NOTES)[field.note]
    return notes


def _sheet(sheet: SheetTable, release: ReleaseFacts, notes: Mapping[str, str]) -> gptables.GPTable:
    reference = f"$${sheet.table.name}$$" if sheet.table.name in notes else ""
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
        subtitles=[],
        instructions="This worksheet contains one table. Numbers in square brackets after the "
        "word note refer to the Notes worksheet.",
        scope=release.synthetic_notice if sheet.synthetic else None,
        legend=_legend(shown),
        table_notes={field.heading: f"$${field.note}$$" for field in sheet.fields if field.note},
        index_columns={},
        additional_formatting=[
            {
                "column": {
                    "columns": [place],
                    "format": {"num_format": _NUMBER_FORMATS[field.form]},
                }
            }
            for place, field in enumerate(sheet.fields)
            if field.form in _NUMBER_FORMATS
        ],
    )


def _headed(sheet: SheetTable) -> str:
    """Return the title of the table after the label of the sheet, which comes once."""
    title, label = sheet.table.title, sheet.exhibit.label
    return title if title.startswith(f"{label}:") else f"{label}: {title}"


def _legend(shown: set[str]) -> list[str]:
    """Explain the markers that a sheet shows."""
    return [
        f"{marker} means {meaning}."
        for marker, meaning in SHORTHAND.items()
        if any(marker in text for text in shown)
    ]


def _cell(row: Row, field: Field) -> object:
    """Return what stands in a cell: the value, or the word or marker in place of none."""
    value = row[field.column]
    if value is None or field.form == "month":
        return cell_text(row, replace(field, marked=False))
    return value
