"""The workbook: cover, contents, notes and one table a sheet, to the Analysis Function's guidance.

``gptables`` lays it out. Cells hold values, or the marker that says why there is none; text is
never taken for a formula.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from types import MappingProxyType

import gptables
import pandas

from orchestration.exports.selection import Partnership, ReleaseFacts, Row, TableRef
from orchestration.exports.words import SHORTHAND, month_name
from orchestration.quarters import quarter_end

_COUNT = "#,##0"
_ONE_DECIMAL = "#,##0.0"


@dataclass(frozen=True)
class SheetColumn:
    """A column of a sheet: heading, column of the table, number format, and key of a note."""

    heading: str
    column: str
    number_format: str = ""
    note: str = ""


@dataclass(frozen=True)
class SheetTable:
    """A table of the release as a sheet: its label, its rows, and how its columns are headed."""

    label: str
    table: TableRef
    rows: Sequence[Row]
    columns: Sequence[SheetColumn]
    synthetic: bool


TABLE_5_COLUMNS = (
    SheetColumn("Year (31 March)", "stock_year", "0"),
    SheetColumn("Area code", "area_code"),
    SheetColumn("Area", "area_name"),
    SheetColumn("Local authority dwellings", "local_authority", _COUNT),
    SheetColumn("Private registered provider dwellings", "private_registered_provider", _COUNT),
    SheetColumn("Other public sector dwellings", "other_public_sector", _COUNT),
    SheetColumn("Total social dwellings", "total", _COUNT),
    SheetColumn("Population", "population", _COUNT),
    SheetColumn("Social dwellings per 1,000 people", "rate_per_1000", _ONE_DECIMAL),
    SheetColumn("Marker", "status"),
)

FIGURE_COLUMNS = (
    SheetColumn("Area code", "area_code"),
    SheetColumn("Area", "area_name"),
    SheetColumn("Month", "month"),
    SheetColumn("Offences", "offences", _COUNT),
    SheetColumn("Offences in 12 months", "rolling_12m_offences", _COUNT, "rolling"),
    SheetColumn("Average", "xmr_centre", _ONE_DECIMAL, "limits"),
    SheetColumn("Lower limit", "xmr_lower", _ONE_DECIMAL, "limits"),
    SheetColumn("Upper limit", "xmr_upper", _ONE_DECIMAL, "limits"),
    SheetColumn("Signal", "xmr_signal", "", "limits"),
    SheetColumn("Marker", "status"),
)

_COLUMN_NOTES: Mapping[str, str] = MappingProxyType(
    {
        "rolling": "The month and the eleven before it. Not available while any of the twelve is "
        "missing.",
        "limits": "Average and limits of usual variation: an individuals control chart (XmR), "
        "with limits at the average plus and minus 2.66 times the mean moving range. A signal is "
        "a month outside the limits, or one of seven or more successive months on one side of "
        "the average. A lower limit below zero is given as computed; a count cannot pass it.",
    }
)


def write_workbook(
    path: Path,
    release: ReleaseFacts,
    whose: Partnership,
    sheets: Sequence[SheetTable],
    credits: Sequence[str],
) -> None:
    """Write the workbook of a partnership to ``path``.

    ``credits`` names the sources in words. The file carries the end of the quarter as its date of
    creation, so that the same figures give the same bytes.
    """
    notes = _notes(sheets)
    title = f"{whose.name}: strategic assessment tables, {release.quarter_label}"
    workbook = gptables.produce_workbook(
        str(path),
        sheets={sheet.label: _sheet(sheet, release, notes) for sheet in sheets},
        cover=_cover(title, release, credits),
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


def _cover(title: str, release: ReleaseFacts, credits: Sequence[str]) -> gptables.Cover:
    notice = [release.synthetic_notice] if release.synthetic_notice else []
    return gptables.Cover(
        title=title,
        intro=[
            *notice,
            f"The tables and the data behind the figures of the strategic assessment, as at the "
            f"end of {release.quarter_label} ({_day(quarter_end(release.quarter))}).",
            "A cell without a value holds a marker that says why. Nothing missing is shown as 0.",
        ],
        about=[f"Source: {credit}" for credit in credits] or ["The release names no source."],
    )


def _notes(sheets: Sequence[SheetTable]) -> dict[str, str]:
    """Return the notes that the sheets refer to, by reference, in order of first use."""
    notes: dict[str, str] = {}
    for sheet in sheets:
        if sheet.table.note:
            notes[sheet.table.name] = sheet.table.note
        for column in sheet.columns:
            if column.note:
                notes[column.note] = _COLUMN_NOTES[column.note]
    return notes


def _sheet(sheet: SheetTable, release: ReleaseFacts, notes: Mapping[str, str]) -> gptables.GPTable:
    reference = f"$${sheet.table.name}$$" if sheet.table.name in notes else ""
    cells = pandas.DataFrame(
        {
            column.heading: pandas.Series([_cell(row, column) for row in sheet.rows], dtype=object)
            for column in sheet.columns
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
        table_notes={
            column.heading: f"$${column.note}$$" for column in sheet.columns if column.note
        },
        index_columns={},
        additional_formatting=[
            {
                "column": {
                    "columns": [place],
                    "format": {"num_format": column.number_format},
                }
            }
            for place, column in enumerate(sheet.columns)
            if column.number_format
        ],
    )


def _headed(sheet: SheetTable) -> str:
    """Return the title of the table after the label of the sheet, which comes once."""
    title = sheet.table.title
    return title if title.startswith(f"{sheet.label}:") else f"{sheet.label}: {title}"


def _legend(shown: set[str]) -> list[str]:
    """Explain the markers that a sheet shows."""
    return [
        f"{marker} means {meaning}."
        for marker, meaning in SHORTHAND.items()
        if any(marker in text for text in shown)
    ]


def _cell(row: Row, column: SheetColumn) -> object:
    """Return what stands in a cell: the value, or the word or marker in place of none."""
    value = row[column.column]
    if value is None:
        words: dict[str, Callable[[], str]] = {
            "status": lambda: "none",
            "xmr_signal": lambda: "none" if row.get("xmr_centre") is not None else "[x]",
        }
        return words.get(column.column, lambda: _why_none(row))()
    if isinstance(value, date):
        return month_name(value)
    return value


def _why_none(row: Row) -> str:
    return "[c]" if "[c]" in str(row.get("status") or "") else "[x]"


def _day(day: date) -> str:
    return f"{day.day} {month_name(day)}"
