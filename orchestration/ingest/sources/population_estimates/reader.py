"""Reads mid-year population estimates: the ONS workbook of any edition, CSV of Nomis, and the CSV
of a research group.

An edition of the workbook is known by its sheets and headings, not by the file's name. Each has a
reader of its own; all give the same rows.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from orchestration.ingest.checking.contract import load_contract
from orchestration.ingest.checking.headings import heading_key, known_headings
from orchestration.ingest.landing.landing_zone import LandedFile
from orchestration.ingest.reading.csv_integrity import read_header, refuse_binary
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

_ESTIMATE = re.compile(r"(?:estimated)?population(?:estimates?)?:?(?:at)?mid-?(\d{4})(?:\d|,\d)*")
"""Heading of a column of estimates (its key), with the numbers of its notes behind the year."""
_RESEARCH_COLUMNS = {
    "Area code": "area_code",
    "Area name": "area_name",
    "Mid-year": "mid_year",
    "Population": "population",
}
_NOMIS_COLUMNS = {
    "GEOGRAPHY_CODE": "area_code",
    "GEOGRAPHY_NAME": "area_name",
    "DATE_NAME": "mid_year",
    "OBS_VALUE": "population",
}
"""Headings of the data set of mid-year estimates of Nomis, one row for each area and year."""

_EXTENT = "Area (sq km)"
"""Heading of the extent of areas, which the sheet MYE5 has."""

_EDITIONS = (
    "a sheet 'MYE5' (or 'MYE 5'), headed 'Code', 'Name' and 'Estimated Population mid-yyyy' "
    "(mid-2001 on)",
    "a sheet 'MYE2 - Persons', headed 'Code', 'Name' and 'All ages', with the year in its title",
)


def read(file: LandedFile) -> Reading:
    """Return one row for each area and mid-year; ``column`` is the heading of the estimate."""
    if not file.name.lower().endswith(".csv"):
        return _ons(file)
    refuse_binary(file)
    keys = {heading_key(heading) for heading in read_header(file)}
    if heading_key("GEOGRAPHY_CODE") in keys:
        return _estimates(file, _NOMIS_COLUMNS, "ons_mid_year", "OBS_VALUE")
    return _estimates(file, _RESEARCH_COLUMNS, "research_group", "Population")


def _estimates(
    file: LandedFile, columns: Mapping[str, str], estimator: str, heading: str
) -> Reading:
    """Return the rows of a CSV of one estimator; ``heading`` is that of the estimates."""
    found = csv_rows(file, columns, load_contract(Path(__file__).parent))
    rows = (
        replace(
            row,
            values={
                **row.values,
                "estimator": estimator,
                "mid_year": mid_year_of(row.values.get("mid_year")),
                **estimate_of(row.values.get("population")),
            },
            column=heading,
        )
        for row in found.rows
    )
    return Reading(rows, found.warnings)


# --- the ONS workbook ------------------------------------------------------------------------


def _ons(file: LandedFile) -> Reading:
    workbook = open_workbook(file)
    editions: dict[str, Callable[[Workbook, str], Reading]] = {
        "MYE 5": _density_table,
        "MYE2 - Persons": _persons_by_age,
    }
    for name, reader in editions.items():
        if sheet := workbook.find_sheet(name):
            return reader(workbook, sheet)
    raise of_no_known_edition(workbook, "; ".join(_EDITIONS))


def _density_table(workbook: Workbook, sheet: str) -> Reading:
    """Read the sheet MYE5, which has estimates of many years beside densities."""
    cells = workbook.rows(sheet)
    header = find_header(workbook, sheet, cells)
    matches = {
        place: _ESTIMATE.fullmatch(heading_key(title or ""))
        for place, title in enumerate(header.titles)
    }
    years = {place: found.group(1) for place, found in matches.items() if found}
    if not years:
        raise without_column(header, "'Estimated Population mid-yyyy'")
    return _table(workbook, header, cells, years)


def _persons_by_age(workbook: Workbook, sheet: str) -> Reading:
    """Read the column All ages of the sheet MYE2, whose title says the one year that it is of."""
    cells = workbook.rows(sheet)
    header = find_header(workbook, sheet, cells)
    titles = known_headings(header.titles, ["All ages"])
    if "All ages" not in titles:
        raise without_column(header, "'All ages'")
    year = title_year(workbook, sheet, cells[: header.line - 1])
    ages = [title or "" for title in titles if re.fullmatch(r"\d{1,2}\+?", title or "")]
    return _table(workbook, header, cells, {titles.index("All ages"): year}, ages)


def _table(
    workbook: Workbook,
    header: HeaderRow,
    cells: list[list[Cell]],
    years: dict[int, str],
    other: Sequence[str] = (),
) -> Reading:
    """Return a row for each area and each column of ``years``; ``other`` headings are left out."""
    contract = load_contract(Path(__file__).parent)
    titles = [title or "" for title in header.titles]
    known = {"Code", "Name", *other, *(titles[place] for place in years)}
    known |= {_EXTENT} & set(known_headings(titles, [_EXTENT]))
    found, unknown = places_of(header, sorted(known), contract)
    workbook.refuse_merged_cells(header.sheet, header.line - 1)
    rows, notes = [], []
    held = workbook.types.sheet(header.sheet).filled
    for line, row in enumerate(cells[header.line :], start=header.line + 1):
        code = text_of(row[found["Code"]])
        if is_note(code, len(held.get(line - 1, ()))):
            notes.append((header.sheet, line))
            continue
        for place, year in years.items():
            values = {
                "estimator": "ons_mid_year",
                "mid_year": f"{year}-06-30",
                "area_code": code,
                "area_name": text_of(row[found["Name"]]),
                "area_sq_km": text_of(row[found[_EXTENT]]) if _EXTENT in found else None,
                **estimate_of(row[place]),
            }
            rows.append(Row(values, line, header.sheet, titles[place]))
    if not rows:
        raise without_rows(header)
    reading = workbook.reading(rows, [header], contract, notes)
    reading.warnings += unknown
    return reading
