"""Reads an assessments workbook: one row a person, with what the extract is of above the header.

The sheet is known by its name, the table by its header row; provider, date and force of the whole
extract are in the rows above, a label and its value beside each other.
"""

from pathlib import Path

from orchestration.ingest.checking.contract import Contract, load_contract
from orchestration.ingest.checking.faults import Fault, SubmissionError
from orchestration.ingest.checking.headings import known_headings
from orchestration.ingest.landing.landing_zone import LandedFile
from orchestration.ingest.reading.source_reading import (
    Cell,
    HeaderRow,
    Reading,
    Row,
    beside,
    open_workbook,
    places_of,
    text_of,
)

SHEET = "OASys extract"
_ROWS_ABOVE_HEADER = 20
_MARKS = {"CRN", "Main offence", "Sex"}
# Label above the header, and the column that it fills in every row.
_OF_THE_WHOLE = {
    "Provider": "provider",
    "Snapshot date": "snapshot_date",
    "Police force area": "police_force",
}


def read(file: LandedFile) -> Reading:
    """Return one row for each person; ``line`` is the sheet's row.

    Raises :class:`SubmissionError` where the sheet, the header, a column or a label is missing.
    """
    workbook = open_workbook(file)
    sheet = workbook.sheet_named(SHEET)
    cells = workbook.rows(sheet)
    start = _find_header(file, sheet, cells)
    header = HeaderRow(file, sheet, start + 1, [text_of(cell) for cell in cells[start]])
    contract = load_contract(Path(__file__).parent)
    columns, unknown = _columns(header, contract)
    workbook.refuse_merged_cells(sheet, start)
    whole = _labelled(file, sheet, cells[:start])
    rows, notes = [], []
    for line, row in enumerate(cells[start + 1 :], start=start + 2):
        values = {name: text_of(row[place]) for name, place in columns.items()}
        if any(values.values()):
            rows.append(Row(whole | values, line, sheet))
        else:
            notes.append((sheet, line))
    reading = workbook.reading(rows, [header], contract, notes)
    reading.warnings += unknown
    return reading


def _find_header(file: LandedFile, sheet: str, cells: list[list[Cell]]) -> int:
    for number, row in enumerate(cells[:_ROWS_ABOVE_HEADER]):
        if len(set(known_headings([text_of(cell) for cell in row], _MARKS)) & _MARKS) >= 2:
            return number
    raise SubmissionError(
        Fault(
            "has a header",
            f"None of the first {_ROWS_ABOVE_HEADER} rows names the columns (CRN, Sex, Main "
            "offence, and so on).",
            file=file.name,
            sheet=sheet,
            line=1,
        )
    )


def _columns(header: HeaderRow, contract: Contract) -> tuple[dict[str, int], list[Fault]]:
    """Return the place of each column of the table, by the contract's name; and warnings."""
    wanted = {
        heading: column.name
        for heading, column in contract.by_header.items()
        if heading not in _OF_THE_WHOLE
    }
    places, unknown = places_of(header, wanted, contract)
    return {wanted[heading]: place for heading, place in places.items()}, unknown


def _labelled(file: LandedFile, sheet: str, cells: list[list[Cell]]) -> dict[str, str | None]:
    found = {
        label: text_of(held[1][0])
        for label in _OF_THE_WHOLE
        if (held := beside(cells, label)) and held[1]
    }
    if missing := [label for label in _OF_THE_WHOLE if not found.get(label)]:
        raise SubmissionError(
            Fault(
                "says what it is of",
                f"Above the header there is no '{label}' with its value beside it.",
                file=file.name,
                sheet=sheet,
                line=1,
                column=label,
            )
            for label in missing
        )
    return {name: found[label] for label, name in _OF_THE_WHOLE.items()}
