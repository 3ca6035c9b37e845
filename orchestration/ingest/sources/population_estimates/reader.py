"""Reads mid-year population estimates: the ONS workbook (sheet MYE 5), the research group's CSV."""

import csv
import io
import re

from orchestration.ingest.faults import Fault, SubmissionError
from orchestration.ingest.landing import LandedFile
from orchestration.ingest.reading import Cell, Row, decode_text, open_workbook, text_of

_ESTIMATE = re.compile(r"^Estimated Population\s+mid-(\d{4})$", re.IGNORECASE)
_RESEARCH_COLUMNS = ("Area code", "Area name", "Mid-year", "Population")
_AREA_CODE = re.compile(r"^[EWSNK]\d{8}$")
_ROWS_ABOVE_HEADER = 15


def read(file: LandedFile) -> list[Row]:
    """Return one row for each area and mid-year; ``column`` is the heading of the estimate."""
    if file.name.lower().endswith(".csv"):
        return _research_group(file)
    return _ons(file)


def _research_group(file: LandedFile) -> list[Row]:
    table = csv.DictReader(io.StringIO(decode_text(file)))
    header = [name.strip() for name in table.fieldnames or []]
    if missing := [name for name in _RESEARCH_COLUMNS if name not in header]:
        raise SubmissionError(
            Fault(
                "has every column",
                f"The column '{name}' is missing. The research group's file "
                f"has the columns {', '.join(_RESEARCH_COLUMNS)}.",
                file=file.name,
                line=1,
                column=name,
            )
            for name in missing
        )
    rows = []
    for line, record in enumerate(table, start=2):
        year = (record["Mid-year"] or "").strip()
        values = {
            "estimator": "research_group",
            "mid_year": f"{year}-06-30" if year else None,
            "area_code": (record["Area code"] or "").strip() or None,
            "area_name": (record["Area name"] or "").strip() or None,
            "population": (record["Population"] or "").strip() or None,
        }
        rows.append(Row(values, line, column="Population"))
    if not rows:
        raise SubmissionError(
            Fault(
                "has rows",
                "The file has a header and nothing below it. Send it with its rows.",
                file=file.name,
            )
        )
    return rows


def _ons(file: LandedFile) -> list[Row]:
    workbook = open_workbook(file)
    sheet = workbook.sheet_named("MYE 5")
    cells = workbook.rows(sheet)
    start, estimates = _find_header(file, sheet, cells)
    rows = []
    for line, row in enumerate(cells[start + 1 :], start=start + 2):
        code = text_of(row[0])
        if code is None or not _AREA_CODE.match(code):
            continue
        for place, year in estimates.items():
            values = {
                "estimator": "ons_mid_year",
                "mid_year": f"{year}-06-30",
                "area_code": code,
                "area_name": text_of(row[1]),
                "population": text_of(row[place]),
            }
            rows.append(Row(values, line, sheet, text_of(cells[start][place])))
    if not rows:
        raise SubmissionError(
            Fault(
                "has rows",
                "No row below the header starts with an area code.",
                file=file.name,
                sheet=sheet,
                line=start + 2,
            )
        )
    return rows


def _find_header(
    file: LandedFile, sheet: str, cells: list[list[Cell]]
) -> tuple[int, dict[int, str]]:
    for number, row in enumerate(cells[:_ROWS_ABOVE_HEADER]):
        titles = [text_of(cell) or "" for cell in row]
        if titles[:2] == ["Code", "Name"]:
            matches = {place: _ESTIMATE.match(title) for place, title in enumerate(titles)}
            estimates = {place: found.group(1) for place, found in matches.items() if found}
            if estimates:
                return number, estimates
            raise SubmissionError(
                Fault(
                    "has every column",
                    "No column is headed 'Estimated Population mid-yyyy'.",
                    file=file.name,
                    sheet=sheet,
                    line=number + 1,
                )
            )
    raise SubmissionError(
        Fault(
            "has a header",
            f"None of the first {_ROWS_ABOVE_HEADER} rows is the header, which "
            "starts with 'Code' and 'Name'.",
            file=file.name,
            sheet=sheet,
            line=1,
        )
    )
