"""Reads mid-year population estimates by sex and age: the ONS workbook, and CSV of Nomis."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from orchestration.ingest.checking.contract import Contract, load_contract
from orchestration.ingest.landing.landing_zone import LandedFile
from orchestration.ingest.reading.csv_integrity import refuse_binary
from orchestration.ingest.reading.keyed_csv import csv_rows
from orchestration.ingest.reading.ons_estimates import (
    estimate_of,
    find_header,
    is_note,
    mid_year_of,
    of_no_known_edition,
    title_year,
    without_column,
    without_rows,
)
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

_SHEETS = {"MYE2 - Males": "Male", "MYE2 - Females": "Female"}
_EDITION = (
    "the sheets 'MYE2 - Males' and 'MYE2 - Females', headed 'Code', 'Name' and with a column for "
    "each year of age up to '90+', with the year in their titles"
)
_AGE_HEADING = re.compile(r"(\d{1,2})\+?")
_AGE_NAME = re.compile(r"aged? (?:under )?(\d{1,2})(?: years?)?(?:\+| and over)?", re.IGNORECASE)
"""An age as Nomis names it: Age 7, Aged 7 years, Aged 90+, Aged under 1 year."""
_AGES = 91
"""Years of age that a sheet has: 0 to 89, and 90 and over."""

_NOMIS_COLUMNS = {
    "GEOGRAPHY_CODE": "area_code",
    "GEOGRAPHY_NAME": "area_name",
    "DATE_NAME": "mid_year",
    "GENDER_NAME": "sex",
    "C_AGE_NAME": "age",
    "OBS_VALUE": "population",
}
"""Headings of the data set of mid-year estimates of Nomis, a row for each year of age."""


def read(file: LandedFile) -> Reading:
    """Return one row for each area, mid-year, sex and year of age."""
    contract = load_contract(Path(__file__).parent)
    if not file.name.lower().endswith(".csv"):
        return _ons(file, contract)
    refuse_binary(file)
    found = csv_rows(file, _NOMIS_COLUMNS, contract)
    rows = (
        replace(
            row,
            values={
                **row.values,
                "mid_year": mid_year_of(row.values.get("mid_year")),
                "age": _age_of(row.values.get("age")),
                **estimate_of(row.values.get("population")),
            },
            column="OBS_VALUE",
        )
        for row in found.rows
    )
    return Reading(rows, found.warnings)


def _age_of(name: Cell) -> str | None:
    """Return the age of a name; what is no name of an age stays, to be refused with its value."""
    text = text_of(name)
    found = _AGE_NAME.fullmatch(text or "")
    if found is None:
        return text
    return "0" if "under" in (text or "").lower() else found[1]


# --- the ONS workbook ------------------------------------------------------------------------


def _ons(file: LandedFile, contract: Contract) -> Reading:
    workbook = open_workbook(file)
    sheets = {name: workbook.find_sheet(name) for name in _SHEETS}
    rows: list[Row] = []
    headers: list[HeaderRow] = []
    notes: list[tuple[str, int]] = []
    warnings = []
    for name, sheet in sheets.items():
        if sheet is None:
            raise of_no_known_edition(workbook, _EDITION)
        cells = workbook.rows(sheet)
        header = find_header(workbook, sheet, cells)
        year = title_year(workbook, sheet, cells[: header.line - 1])
        ages = _ages(header)
        known = {"Code", "Name", *(header.titles[place] or "" for place in ages)}
        found, unknown = places_of(header, sorted(known), contract)
        workbook.refuse_merged_cells(sheet, header.line - 1)
        of_sheet = list(_rows(workbook, header, cells, ages, found, notes))
        if not of_sheet:
            raise without_rows(header)
        told = {"mid_year": mid_year_of(year), "sex": _SHEETS[name]}
        rows += [replace(row, values={**told, **row.values}) for row in of_sheet]
        headers.append(header)
        warnings += unknown
    reading = workbook.reading(rows, headers, contract, notes)
    reading.warnings += warnings
    return reading


def _ages(header: HeaderRow) -> dict[int, str]:
    """Return the age of each column of one. Raises an error where not every age has a column."""
    matches = {
        place: _AGE_HEADING.fullmatch(title or "") for place, title in enumerate(header.titles)
    }
    ages = {place: found[1] for place, found in matches.items() if found}
    missing = sorted({*range(_AGES)} - {int(age) for age in ages.values()})
    if missing:
        wanted = ", ".join(f"'{age}'" for age in missing[:3])
        more = f" and {len(missing) - 3} more years of age" if len(missing) > 3 else ""
        raise without_column(header, f"{wanted}{more}")
    return ages


def _rows(
    workbook: Workbook,
    header: HeaderRow,
    cells: list[list[Cell]],
    ages: dict[int, str],
    found: dict[str, int],
    notes: list[tuple[str, int]],
) -> Iterator[Row]:
    """Yield a row for each area and year of age; rows that are notes are added to ``notes``."""
    held = workbook.types.sheet(header.sheet).filled
    for line, row in enumerate(cells[header.line :], start=header.line + 1):
        code = text_of(row[found["Code"]])
        if is_note(code, len(held.get(line - 1, ()))):
            notes.append((header.sheet, line))
            continue
        area = {"area_code": code, "area_name": text_of(row[found["Name"]])}
        for place, age in ages.items():
            values = {**area, "age": age, **estimate_of(row[place])}
            yield Row(values, line, header.sheet, header.titles[place])
