"""Reads the list of weights of the Crime Severity Score data tool: one sheet of a workbook.

The sheet has a title, a header and a row for each offence. Editions differ in the text above
the header and in how a heading is worded, so that a column is known by the word it must hold.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from orchestration.ingest.checking.contract import load_contract
from orchestration.ingest.checking.faults import Fault, SubmissionError
from orchestration.ingest.checking.headings import heading_key
from orchestration.ingest.landing.landing_zone import LandedFile
from orchestration.ingest.reading.source_reading import (
    Cell,
    HeaderRow,
    Reading,
    Row,
    Workbook,
    open_workbook,
    places_of,
    text_of,
)

SHEET = "List of weights"
_ROWS_ABOVE_HEADER = 15
_REQUIRED = ("Offence category", "Offence code", "Offence", "Weight")
_OPTIONAL = "Recorded offences"
_HEADINGS = (
    (re.compile(r"recorded"), _OPTIONAL),
    (re.compile(r"weight"), "Weight"),
    (re.compile(r"categor|offencegroup"), "Offence category"),
    (re.compile(r"code"), "Offence code"),
    (re.compile(r"offence|description"), "Offence"),
)
"""What a heading holds, in the order of the test, and the contract's name of the column."""
_YEAR_OF_TITLE = re.compile(r"march (20\d\d)", re.IGNORECASE)
_YEAR_OF_NAME = re.compile(r"(?<!\d)(20\d\d)(?!\d)")


def read(file: LandedFile) -> Reading:
    """Return one row for each weight of the list.

    Raises :class:`SubmissionError` where the sheet, its header, a column or the year is missing.
    """
    contract = load_contract(Path(__file__).parent)
    workbook = open_workbook(file)
    sheet = workbook.sheet_named(SHEET)
    cells = workbook.rows(sheet)
    header = _find_header(workbook, sheet, cells)
    present = [*_REQUIRED, *([_OPTIONAL] if _OPTIONAL in header.titles else [])]
    places, unknown = places_of(header, present, contract)
    edition = _edition(file, header, cells)
    columns = {heading: contract.by_header[heading].name for heading in present}
    rows, notes, category = [], [], None
    for line, row in enumerate(cells[header.line :], start=header.line + 1):
        values = {columns[one]: text_of(row[place]) for one, place in places.items()}
        if values["weight"] is None and not (values["offence_code"] or values["offence"]):
            category = values["offence_category"] or category
            notes.append((sheet, line))
            continue
        category = values["offence_category"] or category
        values |= {"edition": edition, "offence_category": category}
        rows.append(Row(values, line, sheet))
    if not rows:
        raise _fault(header, "has rows", "No row below the header holds a weight.")
    reading = workbook.reading(rows, [header], contract, notes)
    reading.warnings += unknown
    return reading


def _known(title: str | None) -> str | None:
    """Return the contract's heading of a column, or the heading as it is."""
    key = heading_key(title or "")
    return next((name for pattern, name in _HEADINGS if pattern.search(key)), title)


def _find_header(workbook: Workbook, sheet: str, cells: Sequence[Sequence[Cell]]) -> HeaderRow:
    """Return the first row with a heading for the weight and one for the code."""
    for number, row in enumerate(cells[:_ROWS_ABOVE_HEADER]):
        titles = [_known(text_of(cell)) for cell in row]
        if {"Weight", "Offence code"} <= set(titles):
            return HeaderRow(workbook.file, sheet, number + 1, titles)
    raise SubmissionError(
        Fault(
            "has a header",
            f"None of the first {_ROWS_ABOVE_HEADER} rows is the header, which has a column for "
            "the offence code and one for the weight. Send the data tool as published.",
            file=workbook.file.name,
            sheet=sheet,
            line=1,
        )
    )


def _edition(file: LandedFile, header: HeaderRow, cells: Sequence[Sequence[Cell]]) -> str:
    """Return 31 March of the year in the text above the table, else in the file's name.

    Raises :class:`SubmissionError` where neither names one year.
    """
    above = [text_of(cell) or "" for row in cells[: header.line - 1] for cell in row]
    titled = {year for text in above for year in _YEAR_OF_TITLE.findall(text)}
    years = titled or set(_YEAR_OF_NAME.findall(file.name))
    if len(years) == 1:
        return f"{years.pop()}-03-31"
    said = f"names the years {', '.join(sorted(years))}" if years else "names no year"
    raise _fault(
        header,
        "says its year",
        f"The text above the table, or else the file's name, {said}, and an edition is of one. "
        "Name the file after the year to March that the edition is of, such as "
        "crime-severity-weights-2018.xls.",
    )


def _fault(header: HeaderRow, rule: str, message: str) -> SubmissionError:
    return SubmissionError(
        Fault(rule, message, file=header.file.name, sheet=header.sheet, line=header.line)
    )
