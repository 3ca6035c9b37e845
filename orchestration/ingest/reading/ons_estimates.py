"""What the Office for National Statistics' population workbooks and Nomis' CSV have in common."""

import re

from orchestration.ingest.checking.faults import Fault, SubmissionError, quoted
from orchestration.ingest.checking.headings import known_headings
from orchestration.ingest.reading.date_cells import day_of
from orchestration.ingest.reading.source_reading import (
    Cell,
    HeaderRow,
    Workbook,
    figure,
    text_of,
)

_TITLE_YEAR = re.compile(r"mid[- ](\d{4})", re.IGNORECASE)
_CODE = re.compile(r"[A-Z]\d{8}")
_ROWS_ABOVE_HEADER = 15


def mid_year_of(year: Cell) -> str | None:
    """Return 30 June of a year, or the day itself where it is one; other texts stay."""
    day = day_of(year)
    if day and (day.month, day.day) == (6, 30):
        return day.isoformat()
    return f"{year}-06-30" if year else None


def estimate_of(cell: Cell) -> dict[str, str | None]:
    """Return a population with its marker; a marker alone stays, to be refused with its value."""
    number, marker = figure(cell)
    return {
        "population": number or text_of(cell),
        "marker": marker if number else None,
    }


def is_note(code: str | None, filled: int) -> bool:
    """Say whether a row below the header is a note: no code, and fewer than two filled cells."""
    return filled < 2 and not _CODE.fullmatch(code or "")


def title_year(workbook: Workbook, sheet: str, above: list[list[Cell]]) -> str:
    """Return the one year that the rows above a table name. Raises :class:`SubmissionError`."""
    texts = [text_of(cell) or "" for row in above for cell in row]
    years = {year for text in texts for year in _TITLE_YEAR.findall(text)}
    if len(years) != 1:
        raise SubmissionError(
            Fault(
                "says its year",
                "The title above the table must say the one year that it is of, such as mid-2022.",
                file=workbook.file.name,
                sheet=sheet,
                line=1,
                value=", ".join(sorted(years)) or None,
            )
        )
    (year,) = years
    return str(year)


def find_header(workbook: Workbook, sheet: str, cells: list[list[Cell]]) -> HeaderRow:
    """Return the row that is headed 'Code' and 'Name'. Raises :class:`SubmissionError`."""
    for number, row in enumerate(cells[:_ROWS_ABOVE_HEADER]):
        titles = [text_of(cell) for cell in row]
        if {"Code", "Name"} <= set(known_headings(titles, ["Code", "Name"])):
            return HeaderRow(workbook.file, sheet, number + 1, titles)
    raise SubmissionError(
        Fault(
            "has a header",
            f"None of the first {_ROWS_ABOVE_HEADER} rows is the header, which "
            "has the columns 'Code' and 'Name'.",
            file=workbook.file.name,
            sheet=sheet,
            line=1,
        )
    )


def without_column(header: HeaderRow, wanted: str) -> SubmissionError:
    """Return the error for a table without any column that is headed as ``wanted`` says."""
    return SubmissionError(
        Fault(
            "has every column",
            f"No column is headed {wanted}.",
            file=header.file.name,
            sheet=header.sheet,
            line=header.line,
        )
    )


def without_rows(header: HeaderRow) -> SubmissionError:
    """Return the error for a table without an estimate."""
    return SubmissionError(
        Fault(
            "has rows",
            "No row below the header holds an estimate.",
            file=header.file.name,
            sheet=header.sheet,
            line=header.line + 1,
        )
    )


def of_no_known_edition(workbook: Workbook, known: str) -> SubmissionError:
    """Return the error for a workbook without a sheet that can be read; ``known`` lists them."""
    return SubmissionError(
        Fault(
            "is of a known edition",
            "The workbook is of no edition of the ONS estimates that can be read. Known are: "
            f"{known}. Its sheets are: {', '.join(quoted(sheet) for sheet in workbook.sheets)}.",
            file=workbook.file.name,
        )
    )
