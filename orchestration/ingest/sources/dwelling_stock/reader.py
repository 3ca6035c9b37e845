"""Reads Live Table 100: one sheet a year, dwellings by tenure and district.

The publisher changes the headings from year to year; a sheet's columns are known by what they say.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from orchestration.ingest.checking.contract import load_contract
from orchestration.ingest.checking.faults import Fault, SubmissionError, quoted
from orchestration.ingest.checking.headings import known_headings
from orchestration.ingest.landing.landing_zone import LandedFile
from orchestration.ingest.reading.source_reading import (
    Cell,
    HeaderRow,
    Reading,
    Row,
    Workbook,
    figure,
    open_workbook,
    places_of,
    text_of,
)

_YEAR_SHEET = re.compile(r"(\d{4})(?:\s*[\[(][^\])]*[\])]|\s*[a-z]+)?", re.IGNORECASE)
"""A year, alone or with a word after it: 2017, 2017 (revised), 2017r."""
_BLANK = "The cell is blank: a number is needed here, or a marker such as [x]."
_ROWS_ABOVE_HEADER = 12

_AREA_COLUMNS = {
    "ons code": "area_code",
    "current ons code": "area_code",
    "new ons code": "area_code",
    "old ons code": "old_area_code",
    "la code": "la_code",
    "dclg code": "la_code",
    "local authority name": "area_name",
    "area": "area_name",
}
_TENURES = (
    "local authority",
    "housing association",
    "private registered provider",
    "other public sector",
    "private sector",
    "total",
)
_KNOWN = (*_AREA_COLUMNS, *_TENURES)
_OPTIONAL_TENURES = {"housing association", "private registered provider"}


def read(file: LandedFile) -> Reading:
    """Return one row for each area and tenure of every year sheet; ``column`` is the heading."""
    workbook = open_workbook(file)
    years = _year_sheets(workbook)
    contract = load_contract(Path(__file__).parent)
    tables = [_table(workbook, sheet, year) for sheet, year in years.items()]
    if faults := [fault for table in tables if isinstance(table, tuple) for fault in table]:
        raise SubmissionError(faults)
    read = [table for table in tables if isinstance(table, _Year)]
    rows = [row for table in read for row in table.rows]
    notes = [note for table in read for note in table.notes]
    reading = workbook.reading(rows, [table.header for table in read], contract, notes)
    reading.warnings += [warning for table in read for warning in table.unknown]
    return reading


@dataclass
class _Year:
    """What one sheet holds: its headings, its rows, and what is no row of it."""

    header: HeaderRow
    rows: list[Row]
    notes: list[tuple[str, int]]
    unknown: list[Fault]


def _year_sheets(workbook: Workbook) -> dict[str, str]:
    """Return the year of each sheet that is named after one.

    Raises :class:`SubmissionError` where none is, two are of one year, or another holds dwellings.
    """
    matches = {sheet: _YEAR_SHEET.fullmatch(sheet.strip()) for sheet in workbook.sheets}
    years = {sheet: found.group(1) for sheet, found in matches.items() if found}
    if not years:
        raise SubmissionError(
            Fault(
                "has the sheet",
                "No sheet is named after a year (2009, 2010, and so on). The "
                f"sheets are: {', '.join(quoted(sheet) for sheet in workbook.sheets)}. Send Live "
                "Table 100 as published.",
                file=workbook.file.name,
                sheet="yyyy",
            )
        )
    faults = [_twice(workbook, sheet, years) for sheet in years
              if list(years.values()).count(years[sheet]) > 1]  # fmt: skip
    faults += [
        Fault(
            "has the sheet",
            "The sheet holds dwellings by tenure, and its name is not a year. Name it after the "
            "year of its 31 March, such as 2017.",
            file=workbook.file.name,
            sheet=sheet,
        )
        for sheet, found in matches.items()
        if not found and _header_line(workbook.rows(sheet)) is not None
    ]
    if faults:
        raise SubmissionError(faults)
    return years


def _twice(workbook: Workbook, sheet: str, years: dict[str, str]) -> Fault:
    same = [repr(one) for one, year in years.items() if year == years[sheet]]
    return Fault(
        "a year comes once",
        f"{len(same)} sheets are of {years[sheet]} ({', '.join(same)}), and nothing says which of "
        "them counts. Leave one of them.",
        file=workbook.file.name,
        sheet=sheet,
    )


def _table(workbook: Workbook, sheet: str, year: str) -> _Year | tuple[Fault, ...]:
    try:
        return _read_year(workbook, sheet, year)
    except SubmissionError as error:
        return error.faults


def _read_year(workbook: Workbook, sheet: str, year: str) -> _Year:
    cells = workbook.rows(sheet)
    start = _find_header(workbook.file, sheet, cells)
    printed = [text_of(cell) for cell in cells[start]]
    titles = _titles(cells[start])
    areas = {
        _AREA_COLUMNS[title]: place for place, title in enumerate(titles) if title in _AREA_COLUMNS
    }
    tenures = {place: title for place, title in enumerate(titles) if title in _TENURES}
    _check_columns(workbook.file, sheet, start, areas, tenures)
    known = [title for place, title in enumerate(printed) if title and titles[place] in _KNOWN]
    header = HeaderRow(workbook.file, sheet, start + 1, printed)
    _, unknown = places_of(header, known, load_contract(Path(__file__).parent))
    found = _Year(header, [], [], unknown)
    held = workbook.types.sheet(sheet).filled
    for line, row in enumerate(cells[start + 1 :], start=start + 2):
        filled = held.get(line - 1, ())
        if len(filled) < 2 and not filled & tenures.keys():
            found.notes.append((sheet, line))
            continue
        area = {name: text_of(row[place]) for name, place in areas.items()}
        of_line = {"stock_date": f"{year}-03-31", **area}
        for place, tenure in tenures.items():
            number, marker = figure(row[place])
            values = {**of_line, "tenure": tenure, "dwellings": number, "marker": marker}
            fault = None if number or marker else _BLANK
            found.rows.append(Row(values, line, sheet, printed[place], fault))
    if not found.rows:
        raise SubmissionError(
            Fault(
                "has rows",
                "The sheet has a header and nothing below it.",
                file=workbook.file.name,
                sheet=sheet,
                line=start + 2,
            )
        )
    return found


def _titles(row: list[Cell]) -> list[str]:
    """Return each heading as we name it, or as it is printed; nothing for none."""
    found = known_headings([text_of(cell) for cell in row], _KNOWN)
    return [title or "" for title in found]


def _header_line(cells: list[list[Cell]]) -> int | None:
    for number, row in enumerate(cells[:_ROWS_ABOVE_HEADER]):
        if len(set(_titles(row)) & set(_TENURES)) >= 2:
            return number
    return None


def _find_header(file: LandedFile, sheet: str, cells: list[list[Cell]]) -> int:
    found = _header_line(cells)
    if found is not None:
        return found
    raise SubmissionError(
        Fault(
            "has a header",
            f"None of the first {_ROWS_ABOVE_HEADER} rows names the tenures "
            "('Local Authority', 'Private sector', and so on).",
            file=file.name,
            sheet=sheet,
            line=1,
        )
    )


def _check_columns(
    file: LandedFile, sheet: str, start: int, areas: dict[str, int], tenures: dict[int, str]
) -> None:
    present = set(tenures.values())
    missing = [one for one in _TENURES if one not in present and one not in _OPTIONAL_TENURES]
    if not present & _OPTIONAL_TENURES:
        missing.append("private registered provider")
    if "area_name" not in areas:
        missing.append("area")
    if not {"area_code", "old_area_code"} & areas.keys():
        missing.append("ons code")
    if missing:
        raise SubmissionError(
            Fault(
                "has every column",
                f"The column '{name}' is missing from the sheet.",
                file=file.name,
                sheet=sheet,
                line=start + 1,
                column=name,
            )
            for name in missing
        )
