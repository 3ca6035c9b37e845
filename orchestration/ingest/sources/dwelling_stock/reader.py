"""Reads Live Table 100: one sheet a year, dwellings by tenure and district.

The publisher changes the headings from year to year; a sheet's columns are known by what they say.
"""

import re

from orchestration.ingest.faults import Fault, SubmissionError
from orchestration.ingest.landing import LandedFile
from orchestration.ingest.reading import Cell, Row, Workbook, open_workbook, text_of

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


def read(file: LandedFile) -> list[Row]:
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
    rows: list[Row] = []
    faults: list[Fault] = []
    for sheet in years:
        try:
            rows += _read_year(workbook, sheet)
        except SubmissionError as error:
            faults += error.faults
    if faults:
        raise SubmissionError(faults)
    return rows


def _read_year(workbook: Workbook, sheet: str) -> list[Row]:
    cells = workbook.rows(sheet)
    start = _find_header(workbook.file, sheet, cells)
    titles = [_title(cell) for cell in cells[start]]
    areas = {
        _AREA_COLUMNS[title]: place for place, title in enumerate(titles) if title in _AREA_COLUMNS
    }
    tenures = {place: title for place, title in enumerate(titles) if title in _TENURES}
    _check_columns(workbook.file, sheet, start, areas, tenures)
    rows = []
    for line, row in enumerate(cells[start + 1 :], start=start + 2):
        area = {name: text_of(row[place]) for name, place in areas.items()}
        if area["area_name"] is None:
            continue
        for place, tenure in tenures.items():
            values = {
                "stock_date": f"{sheet.strip()}-03-31",
                **area,
                "tenure": tenure,
                **_value(row[place]),
            }
            rows.append(Row(values, line, sheet, text_of(cells[start][place])))
    return rows


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
