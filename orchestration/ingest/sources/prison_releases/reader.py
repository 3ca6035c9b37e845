"""Reads a prison's return on accommodation: sheet Releases, and sheet Accommodation need.

Releases are by local authority of release and sex, with a column a kind of accommodation and a
total that must agree with them. Assessed need is by prison and sex. The period is above each
table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestration.ingest.checking.contract import load_contract
from orchestration.ingest.checking.faults import Fault, SubmissionError, given
from orchestration.ingest.checking.headings import known_headings
from orchestration.ingest.landing.landing_zone import LandedFile
from orchestration.ingest.reading.date_cells import day_of, period_of
from orchestration.ingest.reading.source_reading import (
    Cell,
    HeaderRow,
    Reading,
    Row,
    Workbook,
    beside,
    figure,
    open_workbook,
    places_of,
    text_of,
)

_ROWS_ABOVE_HEADER = 15
_RELEASES = "Releases"
_NEED = "Accommodation need"
_KINDS = (
    "Settled accommodation",
    "Temporary accommodation",
    "No address arranged",
    "No fixed abode",
    "Not recorded",
)
_TOTAL = "Total released"
_RELEASE_COLUMNS = ("Local authority of release", "Code", "Sex", *_KINDS, _TOTAL)
_NEED_COLUMNS = ("Prison", "Sex", "Assessed", "With accommodation need")


@dataclass(frozen=True)
class _Table:
    """One table of the workbook: its place, the cells above it, and its columns."""

    file: LandedFile
    sheet: str
    cells: list[list[Cell]]
    header: HeaderRow
    columns: dict[str, int]
    unknown: list[Fault]

    def above(self, label: str) -> list[Cell]:
        """Return the value beside ``label`` above the table."""
        found = beside(self.cells[: self.header.line - 1], label)
        if found and found[1]:
            return found[1]
        raise SubmissionError(
            Fault(
                "says its prison and period",
                f"'{label}' is not above the table with its value beside it.",
                file=self.file.name,
                sheet=self.sheet,
                line=1,
                column=label,
            )
        )

    def day(self, label: str) -> str:
        """Return the date beside ``label`` as ISO text."""
        cell = self.above(label)[0]
        if day := day_of(cell):
            return day.isoformat()
        raise SubmissionError(
            Fault(
                "is a date",
                f"Beside '{label}' there must be a date, without a time of day.",
                file=self.file.name,
                sheet=self.sheet,
                column=label,
                value=text_of(cell),
            )
        )

    def period(self, what: str) -> dict[str, str]:
        """Return first and last day, beside '``what`` from' and '``what`` to' or the first."""
        whole = period_of(self.above(f"{what} from"))
        first = whole[0].isoformat() if whole else self.day(f"{what} from")
        last = whole[1].isoformat() if whole else self.day(f"{what} to")
        if last < first:
            raise SubmissionError(
                Fault(
                    "ends after it starts",
                    f"The period ends before it starts ({given(first)}). Correct the two dates "
                    "above the table.",
                    file=self.file.name,
                    sheet=self.sheet,
                    column=f"{what} to",
                    value=last,
                )
            )
        return {"period_start": first, "period_end": last}

    def body(self) -> list[tuple[int, list[Cell]]]:
        """Return the rows below the header that hold anything, with their line."""
        rows = enumerate(self.cells[self.header.line :], start=self.header.line + 1)
        return [(line, row) for line, row in rows if any(text_of(cell) for cell in row)]

    def text(self, row: Sequence[Cell], column: str) -> str | None:
        """Return the cell of ``column`` as text."""
        return text_of(row[self.columns[column]])

    def count(self, row: Sequence[Cell], line: int, column: str) -> int:
        """Return the cell of ``column`` as a count."""
        text, marker = figure(row[self.columns[column]])
        if text is not None and text.isascii() and text.isdigit() and not marker:
            return int(text)
        raise SubmissionError(
            Fault(
                "is a whole number",
                "A count is needed here: a whole number, 0 where there was nobody.",
                file=self.file.name,
                sheet=self.sheet,
                line=line,
                column=column,
                value=self.text(row, column),
            )
        )


def read(file: LandedFile) -> Reading:
    """Return one row for each figure; ``column`` is its heading.

    The sheet Accommodation need may be left out. Raises :class:`SubmissionError` where a table, a
    column or a period is missing, a cell is not a count, or a total disagrees with its row.
    """
    workbook = open_workbook(file)
    tables = [(_find_table(workbook, _RELEASES, _RELEASE_COLUMNS), _releases)]
    if workbook.find_sheet(_NEED):
        tables.append((_find_table(workbook, _NEED, _NEED_COLUMNS), _need))
    rows = [row for table, rows_of in tables for row in rows_of(table)]
    headers = [table.header for table, _ in tables]
    reading = workbook.reading(rows, headers, load_contract(Path(__file__).parent))
    reading.warnings += [warning for table, _ in tables for warning in table.unknown]
    return reading


def _releases(table: _Table) -> list[Row]:
    prison = text_of(table.above("Prison")[0])
    period = table.period("Released")
    rows = []
    for line, cells in table.body():
        counts = {kind: table.count(cells, line, kind) for kind in _KINDS}
        _check_total(table, line, table.count(cells, line, _TOTAL), sum(counts.values()))
        common = {
            "statement": "releases",
            "prison": prison,
            **period,
            "sex": table.text(cells, "Sex"),
            "area_code": table.text(cells, "Code"),
            "area_name": table.text(cells, "Local authority of release"),
        }
        rows += [
            Row({**common, "measure": kind, "people": str(people)}, line, table.sheet, kind)
            for kind, people in counts.items()
        ]
    return rows


def _need(table: _Table) -> list[Row]:
    period = table.period("Assessed")
    rows = []
    for line, cells in table.body():
        prison = table.text(cells, "Prison")
        common = {
            "statement": "accommodation need",
            "prison": prison,
            **period,
            "sex": table.text(cells, "Sex"),
        }
        counts = {name: table.count(cells, line, name) for name in _NEED_COLUMNS[2:]}
        _check_need(table, line, counts)
        rows += [
            Row({**common, "measure": name, "people": str(people)}, line, table.sheet, name)
            for name, people in counts.items()
        ]
    return rows


def _check_total(table: _Table, line: int, printed: int, summed: int) -> None:
    if printed != summed:
        raise SubmissionError(
            Fault(
                "the total adds up",
                f"The kinds of accommodation in this row add up to {summed}.",
                file=table.file.name,
                sheet=table.sheet,
                line=line,
                column=_TOTAL,
                value=str(printed),
            )
        )


def _check_need(table: _Table, line: int, counts: dict[str, int]) -> None:
    if counts["With accommodation need"] > counts["Assessed"]:
        raise SubmissionError(
            Fault(
                "a part is no more than its whole",
                f"Only {counts['Assessed']} were assessed.",
                file=table.file.name,
                sheet=table.sheet,
                line=line,
                column="With accommodation need",
                value=str(counts["With accommodation need"]),
            )
        )


def _find_table(workbook: Workbook, name: str, columns: Sequence[str]) -> _Table:
    sheet = workbook.sheet_named(name)
    cells = workbook.rows(sheet)
    for number, row in enumerate(cells[:_ROWS_ABOVE_HEADER]):
        titles = [text_of(cell) for cell in row]
        if columns[0] not in known_headings(titles, columns):
            continue
        header = HeaderRow(workbook.file, sheet, number + 1, titles)
        places, unknown = places_of(header, columns, load_contract(Path(__file__).parent))
        workbook.refuse_merged_cells(sheet, number)
        return _Table(workbook.file, sheet, cells, header, places, unknown)
    raise SubmissionError(
        Fault(
            "has a header",
            f"None of the first {_ROWS_ABOVE_HEADER} rows is the header, which has the column "
            f"'{columns[0]}'.",
            file=workbook.file.name,
            sheet=sheet,
            line=1,
            column=columns[0],
        )
    )
