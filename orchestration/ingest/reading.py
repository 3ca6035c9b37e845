"""What a source's own ``reader.py`` gives back, and helpers for workbooks and small text files.

A reader is a module with ``read(file: LandedFile) -> Reading``. It finds the table in the file
and leaves the judging of values to the contract. It raises :class:`SubmissionError` where the table
is not there.
"""

import importlib.util
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

from orchestration.errors import ContractError
from orchestration.ingest.cell_types import CellTypes, SheetCells, cell_types
from orchestration.ingest.contract import Contract
from orchestration.ingest.faults import Fault, SubmissionError, readable
from orchestration.ingest.landing import LandedFile
from orchestration.ingest.pseudonyms import Pseudonyms
from orchestration.ingest.rules import pseudonym

Cell = Any
"""What a workbook cell holds: text, a number, a date, a truth value, or '' for nothing."""


@dataclass(frozen=True)
class Row:
    """One row for the raw table: text by column name, and where it stood in the file."""

    values: Mapping[str, str | None]
    line: int
    sheet: str | None = None
    column: str | None = None
    fault: str | None = None
    """Why the line is no row of the table; the row is refused."""


@dataclass
class Reading:
    """What a reader found in one file: its rows, and what stops none of them."""

    rows: list[Row]
    warnings: list[Fault] = field(default_factory=list)


Reader = Callable[[LandedFile], Reading]


def reader_of(contract: Contract) -> Reader:
    """Return the ``read`` function of the source's own ``reader.py``.

    Raises :class:`ContractError` where the source has none.
    """
    path = contract.folder / "reader.py"
    spec = importlib.util.spec_from_file_location(f"csp_reader_{contract.source}", path)
    if spec is None or spec.loader is None or not path.exists():
        raise ContractError(f'{contract.source} says layout = "reader" and has no reader.py.')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    reader: Reader = module.read
    return reader


def rows_table(
    rows: Sequence[Row], contract: Contract, file_id: int, pseudonyms: Pseudonyms
) -> pa.Table:
    """Return rows as an Arrow table: the contract's columns as text, and the place of each row.

    Beside each identifier stands its pseudonym (:func:`~orchestration.ingest.rules.pseudonym`).
    """
    columns: dict[str, list[Any]] = {
        column.name: [row.values.get(column.name) for row in rows] for column in contract.columns
    }
    arrays = {name: pa.array(values, pa.string()) for name, values in columns.items()}
    for column in contract.identifiers:
        made = pseudonyms.of(str(column.identifier), columns[column.name])
        arrays[pseudonym(column)] = pa.array(made, pa.string())
    arrays["_file_id"] = pa.array([file_id] * len(rows), pa.int32())
    arrays["_sheet"] = pa.array([row.sheet for row in rows], pa.string())
    arrays["_line"] = pa.array([row.line for row in rows], pa.int64())
    arrays["_column"] = pa.array([row.column for row in rows], pa.string())
    arrays["_fault"] = pa.array([row.fault for row in rows], pa.string())
    return pa.table(arrays)


def text_of(cell: Cell) -> str | None:
    """Return a cell as text: whole numbers without a point, days without a time; None for blank."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    return " ".join(str(cell).split()) or None


@dataclass
class Workbook:
    """An opened workbook, ODS, XLS or XLSX; a sheet is a list of rows of cells."""

    file: LandedFile
    book: CalamineWorkbook
    sheets: list[str]
    types: CellTypes

    def hidden_sheets(self) -> list[Fault]:
        """Return a warning for each sheet that a person who opens the workbook does not see."""
        return [
            Fault(
                "has no hidden sheet",
                "The sheet is hidden, so nobody who looks at the workbook sees what it holds.",
                file=self.file.name,
                sheet=sheet.name,
                severity="warning",
            )
            for sheet in self.book.sheets_metadata
            if sheet.visible != SheetVisibleEnum.Visible
        ]

    def refuse_merged_cells(self, sheet: str, header: int) -> None:
        """Raise :class:`SubmissionError` where cells from row ``header`` (from 0) on are merged.

        Only the first of them holds a value; the others would be read as blank.
        """
        merged = self.book.get_sheet_by_name(sheet).merged_cell_ranges or []
        below = sorted(first for first, last in merged if last[0] >= header)
        if below:
            raise SubmissionError(
                Fault(
                    "has no merged cells",
                    f"Cells of the table are merged ({len(below)} times), and all but the first "
                    "of them are empty.",
                    file=self.file.name,
                    sheet=sheet,
                    line=below[0][0] + 1,
                    column=letters(below[0][1]),
                )
            )

    def rows(self, sheet: str) -> list[list[Cell]]:
        """Return the cells of ``sheet`` from its first row on; a cell of an error as its text.

        Raises :class:`SubmissionError` where the sheet is damaged, and where what is read is not
        what the file holds, cell by cell.
        """
        held = self.types.sheet(sheet)
        damaged = Fault(
            "can be opened",
            "The sheet is damaged and cannot be read. Open the workbook "
            "in a spreadsheet program, save it, and send it again.",
            file=self.file.name,
            sheet=sheet,
        )
        with _refusing(damaged):
            cells = self.book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
        for (row, column), error in held.errors.items():
            _put(cells, row, column, error)
        _refuse_unread_cells(self.file, sheet, cells, held)
        return cells

    def sheet_named(self, name: str) -> str:
        """Return the sheet called ``name``, letting spaces and case differ.

        Raises :class:`SubmissionError` that lists the sheets there are.
        """
        wanted = _squeezed(name)
        for sheet in self.sheets:
            if _squeezed(sheet) == wanted:
                return sheet
        raise SubmissionError(
            Fault(
                "has the sheet",
                f"There is no sheet '{name}'. The sheets are: "
                f"{', '.join(repr(sheet) for sheet in self.sheets)}. Rename the right one, or "
                "send the right workbook.",
                file=self.file.name,
                sheet=name,
            )
        )


def _put(cells: list[list[Cell]], row: int, column: int, value: Cell) -> None:
    """Set a cell, which may lie beyond those that were read."""
    cells.extend([] for _ in range(row + 1 - len(cells)))
    cells[row].extend("" for _ in range(column + 1 - len(cells[row])))
    cells[row][column] = value


def _refuse_unread_cells(
    file: LandedFile, sheet: str, cells: Sequence[Sequence[Cell]], held: SheetCells
) -> None:
    """Raise :class:`SubmissionError` where a cell that holds something was read as blank."""
    for row, columns in sorted(held.filled.items()):
        read = cells[row] if row < len(cells) else []
        for column in sorted(columns):
            if column >= len(read) or read[column] == "":
                raise SubmissionError(
                    Fault(
                        "every cell is read",
                        "The cell holds something that cannot be read. Open the workbook in a "
                        "spreadsheet program, save it, and send it again.",
                        file=file.name,
                        sheet=sheet,
                        line=row + 1,
                        column=letters(column),
                    )
                )


def letters(place: int) -> str:
    """Return a column's letters in a spreadsheet, for its place counted from 0."""
    letters = ""
    while place >= 0:
        letters = chr(ord("A") + place % 26) + letters
        place = place // 26 - 1
    return letters


def _squeezed(name: str) -> str:
    return "".join(name.split()).casefold()


def open_workbook(file: LandedFile) -> Workbook:
    """Open an ODS, XLS or XLSX workbook.

    Raises :class:`SubmissionError` for an empty, password-protected or damaged one, and for one
    that would take more memory than any table of ours.
    """
    if file.bytes == 0:
        raise SubmissionError(
            Fault("not empty", "The workbook is empty (0 bytes). Send it again.", file=file.name)
        )
    types = cell_types(file)
    damaged = Fault(
        "can be opened",
        "The file is not a workbook that can be opened: it is damaged, protected, or of another "
        "kind than its name says. Open it in a spreadsheet program, save it without a password, "
        "and send it again.",
        file=file.name,
    )
    with _refusing(damaged):
        try:
            with file.path.open("rb") as stream:
                # Known by its content: a workbook may come by the name of another kind.
                book = CalamineWorkbook.from_filelike(stream)
        except PasswordError as error:
            raise SubmissionError(
                Fault(
                    "is not locked",
                    "The workbook is protected by a password. Send it without one.",
                    file=file.name,
                )
            ) from error
        return Workbook(file, book, list(book.sheet_names), types)


@contextmanager
def _refusing(damaged: Fault) -> Iterator[None]:
    """Raise :class:`SubmissionError` with ``damaged`` where the reader of workbooks gives up."""
    try:
        yield
    except (CalamineError, OSError) as error:
        raise SubmissionError(damaged) from error
    except BaseException as error:
        # The reader's own word for a crash within it, of a type that no module exports.
        if type(error).__name__ != "PanicException":
            raise
        raise SubmissionError(damaged) from error


@dataclass(frozen=True)
class HeaderRow:
    """The row of a sheet that holds the headings: where it stands, and what it says."""

    file: LandedFile
    sheet: str
    line: int
    titles: Sequence[str | None]


def places_of(
    table: HeaderRow, wanted: Collection[str], contract: Contract
) -> tuple[dict[str, int], list[Fault]]:
    """Return the place of each wanted heading, and a warning for each that the contract lacks.

    Raises :class:`SubmissionError` for every wanted heading that is missing or there twice.
    """
    counted = {title: table.titles.count(title) for title in wanted}
    faults = [
        Fault(
            "columns are named once" if count else "has every column",
            f"The column '{title}' is there {count} times. Leave one of them."
            if count
            else f"The column '{title}' is missing. The table has the columns {', '.join(wanted)}.",
            file=table.file.name,
            sheet=table.sheet,
            line=table.line,
            column=title,
        )
        for title, count in counted.items()
        if count != 1
    ]
    if faults:
        raise SubmissionError(faults)
    warnings = unknown_columns(
        table.file, table.titles, wanted, contract, sheet=table.sheet, line=table.line
    )
    return {title: table.titles.index(title) for title in wanted}, warnings


def unknown_columns(
    file: LandedFile,
    titles: Sequence[str | None],
    known: Collection[str],
    contract: Contract,
    *,
    sheet: str | None = None,
    line: int = 1,
) -> list[Fault]:
    """Return a warning for each heading that is neither read nor knowingly left out."""
    return [
        Fault(
            "has no unknown column",
            "The column is not in the contract; it is not loaded. "
            "Tell the data engineer if it is meant.",
            file=file.name,
            sheet=sheet,
            line=line,
            column=readable(title),
            severity="warning",
        )
        for title in titles
        if title and title not in known and not contract.ignores(title)
    ]


def decode_text(file: LandedFile) -> str:
    """Return a small text file's content.

    Raises :class:`SubmissionError` for an empty one and for one that is not UTF-8.
    """
    content = file.path.read_bytes()
    if not content.strip():
        raise SubmissionError(
            Fault("not empty", "The file is empty. Send it again.", file=file.name)
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SubmissionError(
            Fault(
                "is UTF-8",
                f"A character is not UTF-8 (byte 0x{content[error.start]:02x}). "
                "Save the file as UTF-8.",
                file=file.name,
                line=line,
            )
        ) from error
