"""Reads the community survey's workbook: sheet 'Responses', one row a response.

Above the header are the survey's title, which says whose it is, and the survey period, which gives
the wave; the header's columns are known by the questions as they were put.
"""

from datetime import date
from pathlib import Path

from orchestration.config.quarters import quarter_end, quarter_of
from orchestration.ingest.checking.contract import load_contract
from orchestration.ingest.checking.faults import Fault, SubmissionError
from orchestration.ingest.checking.headings import heading_key, known_headings
from orchestration.ingest.landing.landing_zone import LandedFile
from orchestration.ingest.reading.date_cells import day_of, period_of
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

_SHEET = "Responses"
_PERIOD = "Survey period"
_ROWS_ABOVE_HEADER = 12
_COLUMNS = {
    "Response ID": "response_id",
    "Response date": "response_date",
    "Which town do you live in or nearest to?": "town",
    "Age": "age_band",
    "Sex": "sex",
    "Postcode (first part)": "postcode_outward",
    "How safe do you feel where you live?": "feel_safe",
    "Is there a problem with Crime & ASB where you live?": "crime_asb_problem",
    "Which issues have directly affected you in the past three months?": "issues_experienced",
    "What should the CSP focus on?": "csp_focus",
    "Any other comments": "comments",
}


def read(file: LandedFile) -> Reading:
    """Return one row for each response, with the first day of its wave.

    Raises :class:`SubmissionError` where the sheet, its title or survey period, a column or every
    response is missing.
    """
    workbook = open_workbook(file)
    sheet = workbook.sheet_named(_SHEET)
    cells = workbook.rows(sheet)
    start = _find_header(file, sheet, cells)
    header = HeaderRow(file, sheet, start + 1, [text_of(cell) for cell in cells[start]])
    contract = load_contract(Path(__file__).parent)
    by_title, unknown = places_of(header, _COLUMNS, contract)
    workbook.refuse_merged_cells(sheet, start)
    places = {_COLUMNS[title]: place for title, place in by_title.items()}
    survey = _find_title(file, sheet, cells[:start])
    wave = _find_wave(file, sheet, cells[:start])
    rows, notes = [], []
    for line, row in enumerate(cells[start + 1 :], start=start + 2):
        answers = {name: row[place] for name, place in places.items()}
        if all(text_of(cell) is None for cell in answers.values()):
            notes.append((sheet, line))
            continue
        values = {name: text_of(cell) for name, cell in answers.items()} | {
            "survey": survey,
            "wave_start": wave.isoformat(),
            "days_outside_wave": _days_outside(day_of(answers["response_date"]), wave),
            "issues_experienced": _listed(answers["issues_experienced"]),
        }
        rows.append(Row(values, line, sheet))
    if not rows:
        raise SubmissionError(
            Fault(
                "has rows",
                "There is no response below the header.",
                file=file.name,
                sheet=sheet,
                line=start + 2,
            )
        )
    reading = workbook.reading(rows, [header], contract, notes)
    reading.warnings += unknown
    return reading


def _find_header(file: LandedFile, sheet: str, cells: list[list[Cell]]) -> int:
    for number, row in enumerate(cells[:_ROWS_ABOVE_HEADER]):
        titles = known_headings([text_of(cell) for cell in row], _COLUMNS)
        if len(set(titles) & _COLUMNS.keys()) >= 3:
            return number
    raise SubmissionError(
        Fault(
            "has a header",
            f"None of the first {_ROWS_ABOVE_HEADER} rows is the header, which holds "
            "'Response ID', 'Response date' and the questions.",
            file=file.name,
            sheet=sheet,
            line=1,
        )
    )


def _find_title(file: LandedFile, sheet: str, above: list[list[Cell]]) -> str:
    title = text_of(above[0][0]) if above and above[0] else None
    if title is None or heading_key(title).startswith(heading_key(_PERIOD)):
        raise SubmissionError(
            Fault(
                "has a title",
                "The first cell of the sheet must be the survey's title, such as 'Community "
                "safety survey of Newtown', the same in every wave.",
                file=file.name,
                sheet=sheet,
                line=1,
                value=title,
            )
        )
    return title


def _find_wave(file: LandedFile, sheet: str, above: list[list[Cell]]) -> date:
    """Return the first day of the wave; it must be a whole financial quarter."""
    found = beside(above, _PERIOD)
    if found is None:
        raise SubmissionError(
            Fault(
                "has a survey period",
                f"No row above the header starts with '{_PERIOD}', so the wave is not known.",
                file=file.name,
                sheet=sheet,
                line=1,
            )
        )
    line, cells = found
    period = period_of(cells)
    if period and period == (quarter_of(period[0]), quarter_end(period[0])):
        return period[0]
    raise SubmissionError(
        Fault(
            "has a survey period",
            "The survey period must be the first and the last day of a quarter, such as "
            "01/04/2018 and 30/06/2018, each in a cell of its own, or 'April to June 2018'.",
            file=file.name,
            sheet=sheet,
            line=line,
            column=_PERIOD,
            value=" to ".join(filter(None, map(text_of, cells))) or None,
        )
    )


def _days_outside(day: date | None, wave: date) -> str | None:
    if day is None:
        return None
    return str(max((wave - day).days, (day - quarter_end(wave)).days, 0))


def _listed(cell: Cell) -> str | None:
    """Return the ticked answers joined by '; ', however the survey tool spaced them."""
    parts = [part.strip() for part in (text_of(cell) or "").split(";")]
    return "; ".join(part for part in parts if part) or None
