"""Reads the Home Office's open data table of recorded crime: a sheet a financial year, streamed.

The workbook has some 1.4 GB of XML. Headings have changed: "Force Name" is "Police Force" now, and
"Number of Offences" is "Offence Count". Columns are known by what they say.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from orchestration.ingest.checking.contract import Contract, load_contract
from orchestration.ingest.checking.faults import Fault, SubmissionError, quoted
from orchestration.ingest.checking.headings import known_headings
from orchestration.ingest.landing.landing_zone import LandedFile
from orchestration.ingest.reading.source_reading import Reading, Row, unknown_columns
from orchestration.ingest.reading.streamed_ods import SheetRow, ods_rows

_YEAR_SHEET = re.compile(r"\d{4}[_/-]\d{2}")
_YEAR = re.compile(r"(\d{4})/(\d{2})")
_QUARTER = re.compile(r"[Qq]?([1-4])")
_ROWS_ABOVE_HEADER = 12
_FEWEST_CELLS = 4
"""Cells of a row of the table at least; a note has fewer."""

_COLUMNS = {
    "financial year": "year",
    "financial quarter": "quarter",
    "police force": "police_force",
    "force name": "police_force",
    "csp name": "csp_name",
    "offence group": "offence_group",
    "offence subgroup": "offence_subgroup",
    "offence code": "offence_code",
    "offence count": "offences",
    "number of offences": "offences",
}
_HEADINGS = {"csp name": "CSP Name", "number of offences": "Number of Offences"}
"""Headings that are not written with a capital letter for each word."""

_WANTED = tuple(dict.fromkeys(_COLUMNS.values()))


def read(file: LandedFile) -> Reading:
    """Return one row for each row of the year sheets."""
    warnings: list[Fault] = []
    return Reading(_rows(file, load_contract(Path(__file__).parent), warnings), warnings)


def _rows(file: LandedFile, contract: Contract, warnings: list[Fault]) -> Iterator[Row]:
    sheet, places, above = None, None, 0
    found = False
    for one in ods_rows(file):
        if one.sheet != sheet:
            _refuse_without_header(file, sheet, places)
            sheet, places, above = one.sheet, None, 0
        if not _YEAR_SHEET.fullmatch(one.sheet.strip()):
            continue
        if places is None:
            above += 1
            places = _header(file, one, contract, warnings)
            if places is None and above > _ROWS_ABOVE_HEADER:
                _refuse_without_header(file, sheet, places)
            continue
        if sum(cell is not None for cell in one.cells) < _FEWEST_CELLS:
            number = one.line
            warnings.append(
                Fault(
                    "has nothing beside its table",
                    f"Row {number} is no row of the table, such as a note; left out.",
                    file=file.name,
                    sheet=one.sheet,
                    line=one.line,
                    severity="warning",
                )
            )
            continue
        found = True
        yield _row(one, places)
    _refuse_without_header(file, sheet, places)
    if not found:
        raise SubmissionError(
            Fault(
                "has the sheet",
                "No sheet is named after a financial year (2024_25) and has rows. Send the "
                "Community Safety Partnership open data table as published.",
                file=file.name,
                sheet="yyyy_yy",
            )
        )


def _header(
    file: LandedFile, row: SheetRow, contract: Contract, warnings: list[Fault]
) -> dict[str, int] | None:
    """Return the place of each column, or None where the row does not hold the headings.

    Raises :class:`SubmissionError` for columns that are missing or there twice.
    """
    titles = known_headings(row.cells, tuple(_COLUMNS))
    named = [_COLUMNS.get(title or "") for title in titles]
    if named.count("csp_name") == 0 or named.count("year") == 0:
        return None
    counts = {name: named.count(name) for name in _WANTED}
    faults = [_miscounted(file, row, name, n) for name, n in counts.items() if n != 1]
    if faults:
        raise SubmissionError(faults)
    if not any(one.rule == "has no unknown column" for one in warnings):
        warnings += unknown_columns(
            file, titles, tuple(_COLUMNS), contract, sheet=row.sheet, line=row.line
        )
    return {name: named.index(name) for name in _WANTED}


def _miscounted(file: LandedFile, row: SheetRow, name: str, count: int) -> Fault:
    titles = [_HEADINGS.get(title, title.title()) for title in _COLUMNS if _COLUMNS[title] == name]
    wanted = " or ".join(f"'{title}'" for title in titles)
    return Fault(
        "columns are named once" if count else "has every column",
        f"The table has {count} columns with the heading {wanted}; it must have one.",
        file=file.name,
        sheet=row.sheet,
        line=row.line,
        column=titles[0],
    )


def _refuse_without_header(
    file: LandedFile, sheet: str | None, places: dict[str, int] | None
) -> None:
    if sheet is None or places is not None or not _YEAR_SHEET.fullmatch(sheet.strip()):
        return
    raise SubmissionError(
        Fault(
            "has a header",
            f"None of the first {_ROWS_ABOVE_HEADER} rows of sheet {quoted(sheet)} has the "
            "headings 'Financial Year' and 'CSP Name'.",
            file=file.name,
            sheet=sheet,
            line=1,
        )
    )


def _row(row: SheetRow, places: dict[str, int]) -> Row:
    held = len(row.cells)
    values = {name: row.cells[at] if at < held else None for name, at in places.items()}
    first_day, fault = _first_day(values.pop("year"), values.pop("quarter"))
    return Row({"quarter": first_day, **values}, row.line, row.sheet, None, fault)


def _first_day(year: str | None, quarter: str | None) -> tuple[str | None, str | None]:
    """Return the first day of a financial quarter, or what is wrong with its year and number."""
    of_year, of_quarter = _YEAR.fullmatch(year or ""), _QUARTER.fullmatch(quarter or "")
    if not of_year or (int(of_year[1]) + 1) % 100 != int(of_year[2]):
        return None, "The financial year is not written as 2024/25."
    if not of_quarter:
        return None, "The financial quarter is none of 1, 2, 3 and 4."
    number = int(of_quarter[1])
    if number == 4:  # January to March
        return f"{int(of_year[1]) + 1}-01-01", None
    return f"{of_year[1]}-{3 * number + 1:02d}-01", None
