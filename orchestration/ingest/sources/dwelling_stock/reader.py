"""Reads Live Table 100: one sheet a year, dwellings by tenure and district.

The publisher changes the headings from year to year; a sheet's columns are known by what they say.
"""

import re
from pathlib import Path

from orchestration.ingest.contract import load_contract
from orchestration.ingest.faults import Fault, SubmissionError
from orchestration.ingest.landing import LandedFile
from orchestration.ingest.reading import (
    Cell,
    HeaderRow,
    Reading,
    Row,
    Workbook,
    open_workbook,
    places_of,
    text_of,
)

_YEAR_SHEET = re.compile(r"^\d{4}$")
_NOTE = re.compile(r"\s*\[note \d+\]", re.IGNORECASE)
_MARKER = re.compile(r"^\[[a-z]\]$")
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
_OPTIONAL_TENURES = {"housing association", "private registered provider"}


def read(file: LandedFile) -> Reading:
    """Return one row for each area and tenure of every year sheet; ``column`` is the heading."""
    workbook = open_workbook(file)
    years = [sheet for sheet in workbook.sheets if _YEAR_SHEET.match(sheet.strip())]
    if not years:
        raise SubmissionError(
            Fault(
                "has the sheet",
                "No sheet is named after a year (2009, 2010, and so on). The "
                f"sheets are: {', '.join(repr(sheet) for sheet in workbook.sheets)}. Send Live "
                "Table 100 as published.",
                file=file.name,
                sheet="yyyy",
            )
        )
    reading = Reading([], workbook.hidden_sheets())
    faults: list[Fault] = []
    for sheet in years:
        try:
            of_year = _read_year(workbook, sheet)
        except SubmissionError as error:
            faults += error.faults
            continue
        reading.rows += of_year.rows
        reading.warnings += of_year.warnings
    if faults:
        raise SubmissionError(faults)
    return reading


def _read_year(workbook: Workbook, sheet: str) -> Reading:
    cells = workbook.rows(sheet)
    start = _find_header(workbook.file, sheet, cells)
    printed = [text_of(cell) for cell in cells[start]]
    titles = [_title(cell) for cell in cells[start]]
    areas = {
        _AREA_COLUMNS[title]: place for place, title in enumerate(titles) if title in _AREA_COLUMNS
    }
    tenures = {place: title for place, title in enumerate(titles) if title in _TENURES}
    _check_columns(workbook.file, sheet, start, areas, tenures)
    known = [title for place, title in enumerate(printed) if title and _is_known(titles[place])]
    _, unknown = places_of(
        HeaderRow(workbook.file, sheet, start + 1, printed),
        known,
        load_contract(Path(__file__).parent),
    )
    rows = []
    for line, row in enumerate(cells[start + 1 :], start=start + 2):
        area = {name: text_of(row[place]) for name, place in areas.items()}
        if area["area_name"] is None and not any(text_of(row[place]) for place in tenures):
            continue
        for place, tenure in tenures.items():
            values = {
                "stock_date": f"{sheet.strip()}-03-31",
                **area,
                "tenure": tenure,
                **_value(row[place]),
            }
            rows.append(Row(values, line, sheet, printed[place]))
    if not rows:
        raise SubmissionError(
            Fault(
                "has rows",
                "The sheet has a header and nothing below it.",
                file=workbook.file.name,
                sheet=sheet,
                line=start + 2,
            )
        )
    return Reading(rows, unknown)


def _is_known(title: str) -> bool:
    return title in _AREA_COLUMNS or title in _TENURES


def _title(cell: Cell) -> str:
    return _NOTE.sub("", text_of(cell) or "").casefold()


def _find_header(file: LandedFile, sheet: str, cells: list[list[Cell]]) -> int:
    for number, row in enumerate(cells[:_ROWS_ABOVE_HEADER]):
        titles = {_title(cell) for cell in row}
        if len(titles & set(_TENURES)) >= 2:
            return number
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


def _value(cell: Cell) -> dict[str, str | None]:
    text = text_of(cell)
    if text and _MARKER.match(text):
        return {"dwellings": None, "marker": text}
    return {"dwellings": text, "marker": None}
