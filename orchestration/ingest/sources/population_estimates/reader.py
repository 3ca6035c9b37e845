"""Reads mid-year population estimates: the ONS workbook (sheet MYE 5), the research group's CSV."""

import re
from dataclasses import replace
from pathlib import Path

from orchestration.ingest.contract import load_contract
from orchestration.ingest.faults import Fault, SubmissionError
from orchestration.ingest.keyed_csv import csv_rows
from orchestration.ingest.landing import LandedFile
from orchestration.ingest.reading import (
    Cell,
    HeaderRow,
    Reading,
    Row,
    open_workbook,
    places_of,
    text_of,
)

_ESTIMATE = re.compile(r"^Estimated Population\s+mid-(\d{4})$", re.IGNORECASE)
_RESEARCH_COLUMNS = {
    "Area code": "area_code",
    "Area name": "area_name",
    "Mid-year": "mid_year",
    "Population": "population",
}
_ROWS_ABOVE_HEADER = 15


def read(file: LandedFile) -> Reading:
    """Return one row for each area and mid-year; ``column`` is the heading of the estimate."""
    if file.name.lower().endswith(".csv"):
        return _research_group(file)
    return _ons(file)


def _research_group(file: LandedFile) -> Reading:
    found = csv_rows(file, _RESEARCH_COLUMNS, load_contract(Path(__file__).parent))
    rows = [
        replace(
            row,
            values={**row.values, "estimator": "research_group", "mid_year": _mid_year(row)},
            column="Population",
        )
        for row in found.rows
    ]
    return Reading(rows, found.warnings)


def _mid_year(row: Row) -> str | None:
    year = row.values.get("mid_year")
    return f"{year}-06-30" if year else None


def _ons(file: LandedFile) -> Reading:
    workbook = open_workbook(file)
    sheet = workbook.sheet_named("MYE 5")
    cells = workbook.rows(sheet)
    start, estimates = _find_header(file, sheet, cells)
    titles = [text_of(cell) for cell in cells[start]]
    contract = load_contract(Path(__file__).parent)
    known = {"Code", "Name", *(titles[place] or "" for place in estimates)}
    _, unknown = places_of(HeaderRow(file, sheet, start + 1, titles), sorted(known), contract)
    workbook.refuse_merged_cells(sheet, start)
    rows = []
    for line, row in enumerate(cells[start + 1 :], start=start + 2):
        if all(text_of(row[place]) is None for place in estimates):
            continue  # a note below the table
        for place, year in estimates.items():
            values = {
                "estimator": "ons_mid_year",
                "mid_year": f"{year}-06-30",
                "area_code": text_of(row[0]),
                "area_name": text_of(row[1]),
                "population": text_of(row[place]),
            }
            rows.append(Row(values, line, sheet, titles[place]))
    if not rows:
        raise SubmissionError(
            Fault(
                "has rows",
                "No row below the header holds an estimate.",
                file=file.name,
                sheet=sheet,
                line=start + 2,
            )
        )
    return Reading(rows, workbook.hidden_sheets() + unknown)


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
