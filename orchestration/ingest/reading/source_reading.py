"""The result of a source's own ``reader.py``, and helpers for workbooks and small text files.

A reader is a module with ``read(file: LandedFile) -> Reading``. It finds the table in the file
and leaves the checking of values to the contract. It raises :class:`SubmissionError` if the table
is missing.
"""

import importlib.util
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time
from fnmatch import fnmatchcase
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

from orchestration.errors import ContractError, readable
from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.checking.faults import Fault, SubmissionError, quoted
from orchestration.ingest.checking.headings import heading_key, known_headings
from orchestration.ingest.landing.landing_zone import LandedFile
from orchestration.ingest.reading.cell_types import CellTypes, SheetCells, cell_types

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

    rows: Iterable[Row]
    """Read once, from the first to the last."""
    warnings: list[Fault] = field(default_factory=list)
    """Complete when the rows have been read."""


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


_COVERS = (
    "about*",
    "background*",
    "contact*",
    "contents*",
    "cover*",
    "definitions*",
    "guidance*",
    "index",
    "information*",
    "introduction*",
    "metadata*",
    "notes*",
    "read me*",
    "readme*",
    "related publications*",
    "table of contents",
    "terms*",
)
"""Names (with * and ?) of sheets that hold no data."""

_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_MARKED = re.compile(rf"(?P<number>{_NUMBER.pattern})?\s*(?P<marker>\[\w+\]|[(]\w[)])?")
_SYMBOLS = {"..": "..", "\u2026": "..", ":": ":", "-": "-", "\u2013": "-", "n/a": "n/a", "*": "*"}
"""What tables print in place of a value, beside letters in brackets."""


def figure(cell: Cell) -> tuple[str | None, str | None]:
    """Return the number of a cell of a published table, and its marker.

    Both as text: ``5,654 [r]`` gives 5654 and [r], ``..`` gives a marker alone. What is neither
    comes back as the number, for the contract's rules to refuse.
    """
    text = text_of(cell)
    if text is None or type(cell) is float or not isinstance(cell, str):
        return text, None
    if symbol := _SYMBOLS.get(text.casefold()):
        return None, symbol
    found = _MARKED.fullmatch(text)
    if found is None:
        return text, None
    number, marker = found.group("number"), found.group("marker")
    return number and number.replace(",", ""), marker and f"[{marker[1:-1].casefold()}]"


def beside(cells: Sequence[Sequence[Cell]], label: str) -> tuple[int, list[Cell]] | None:
    """Return the line of a label and the value beside it: in the cells after it, or after its
    colon. None where no row starts with the label; its capitals, spaces and colon do not count."""
    wanted = heading_key(label)
    for line, row in enumerate(cells, start=1):
        held = [cell for cell in row if text_of(cell)]
        name, _, rest = (text_of(held[0]) or "").partition(":") if held else ("", "", "")
        if heading_key(name) == wanted:
            return line, [*([rest.strip()] if rest.strip() else []), *held[1:]]
    return None


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
        for (row, column), text in [*held.texts.items(), *held.errors.items()]:
            _put(cells, row, column, text)
        _refuse_unread_cells(self.file, sheet, cells, held)
        return cells

    def find_sheet(self, name: str) -> str | None:
        """Return the sheet called ``name``, letting spaces and case differ; None without one."""
        wanted = _squeezed(name)
        return next((sheet for sheet in self.sheets if _squeezed(sheet) == wanted), None)

    def sheet_named(self, name: str) -> str:
        """Return the sheet called ``name``, letting spaces and case differ.

        Raises :class:`SubmissionError` that lists the sheets there are.
        """
        if sheet := self.find_sheet(name):
            return sheet
        raise SubmissionError(
            Fault(
                "has the sheet",
                f"There is no sheet '{name}'. The sheets are: "
                f"{', '.join(quoted(sheet) for sheet in self.sheets)}. Rename the right one, or "
                "send the right workbook.",
                file=self.file.name,
                sheet=name,
            )
        )

    def reading(
        self,
        rows: list[Row],
        tables: Sequence["HeaderRow"],
        contract: Contract,
        notes: Collection[tuple[str, int]] = (),
    ) -> Reading:
        """Return what was found, when all that the workbook holds is accounted for.

        ``tables`` are the headings of the tables that were read, ``notes`` the sheet and line of
        text below one that is not a row of it. Warns of all that is left out, or hidden. Raises
        :class:`SubmissionError` where a row of a sheet became neither a row nor a note, counted by
        the types of its cells, not by what was read.
        """
        warnings = self._other_sheets({table.sheet for table in tables}, contract)
        for table in tables:
            read = {row.line for row in rows if row.sheet == table.sheet}
            beside = {line for sheet, line in notes if sheet == table.sheet}
            warnings += _beside(table, self.types.sheet(table.sheet), read, beside)
        return Reading(rows, warnings)

    def _other_sheets(self, read: Collection[str], contract: Contract) -> list[Fault]:
        """Return a warning for each sheet that is hidden, or neither read nor known to be other."""
        hidden = {
            sheet.name
            for sheet in self.book.sheets_metadata
            if sheet.visible != SheetVisibleEnum.Visible
        }
        faults = []
        for sheet in self.sheets:
            if sheet in hidden:
                said = (
                    "The sheet is hidden, so nobody who looks at the workbook sees what it holds."
                )
                faults.append(_mild("has no hidden sheet", said, self.file, sheet))
            elif sheet not in read and not _is_ignored(sheet, contract):
                if not (lines := len(self.types.sheet(sheet).filled)):
                    continue  # an empty sheet holds nothing that could be left out
                said = (
                    f"The sheet is none that the contract knows; its {lines:,} rows are left out."
                )
                faults.append(_mild("has no unknown sheet", said, self.file, sheet))
        return faults


def _is_ignored(sheet: str, contract: Contract) -> bool:
    known = (*_COVERS, *contract.ignored_sheets)
    return any(fnmatchcase(_squeezed(sheet), _squeezed(pattern)) for pattern in known)


def _mild(rule: str, message: str, file: LandedFile, sheet: str, **place: Any) -> Fault:
    return Fault(rule, message, file=file.name, sheet=sheet, severity="warning", **place)


def _beside(
    table: "HeaderRow", held: SheetCells, read: Collection[int], notes: Collection[int]
) -> list[Fault]:
    """Return a warning for what is left out of a sheet, or hidden in it; refuse what is neither."""
    below = {row + 1 for row in held.filled if row + 1 > table.line}
    if lost := sorted(below - set(read) - set(notes)):
        raise SubmissionError(
            Fault(
                "every row is accounted for",
                f"{_rows_said(lost)} below the header, which became no row of the table.",
                file=table.file.name,
                sheet=table.sheet,
                line=lost[0],
            )
        )
    faults = []
    if left := sorted(below & set(notes)):
        said = f"{_rows_said(left)} that are no row of the table, such as a note; left out."
        faults.append(_mild("has nothing beside its table", said, table.file, table.sheet,
                            line=left[0]))  # fmt: skip
    return faults + _unheaded(table, held, read) + _hidden(table, held, read)


def _rows_said(lines: Sequence[int]) -> str:
    if len(lines) == 1:
        return f"Row {lines[0]} holds cells"
    return f"Rows {', '.join(map(str, lines[:8]))}{' …' if len(lines) > 8 else ''} hold cells"


def _unheaded(table: "HeaderRow", held: SheetCells, read: Collection[int]) -> list[Fault]:
    """Return a warning for each column without a heading that holds something in the table."""
    counted: dict[int, int] = {}
    for line in read:
        for column in held.filled.get(line - 1, ()):
            if column >= len(table.titles) or not table.titles[column]:
                counted[column] = counted.get(column, 0) + 1
    return [
        _mild(
            "every column has a heading",
            f"The column has no heading and holds {count:,} cells in rows of the table; they are "
            "left out.",
            table.file,
            table.sheet,
            line=table.line,
            column=letters(column),
        )
        for column, count in sorted(counted.items())
    ]


def _hidden(table: "HeaderRow", held: SheetCells, read: Collection[int]) -> list[Fault]:
    faults = []
    if rows := sorted(line for line in read if line - 1 in held.hidden_rows):
        said = (
            f"{len(rows):,} rows of the table are hidden or filtered out of sight; they are read."
        )
        faults.append(_mild("has no hidden rows", said, table.file, table.sheet, line=rows[0]))
    columns = [one for one in held.hidden_columns if one < len(table.titles) and table.titles[one]]
    if columns:
        said = f"{len(columns):,} columns of the table are hidden; they are read."
        faults.append(_mild("has no hidden columns", said, table.file, table.sheet,
                            line=table.line, column=letters(min(columns))))  # fmt: skip
    return faults


def _put(cells: list[list[Cell]], row: int, column: int, value: Cell) -> None:
    """Set a cell, which may lie beyond those that were read."""
    cells.extend([] for _ in range(row + 1 - len(cells)))
    cells[row].extend("" for _ in range(column + 1 - len(cells[row])))
    cells[row][column] = value


def _refuse_unread_cells(
    file: LandedFile, sheet: str, cells: Sequence[Sequence[Cell]], held: SheetCells
) -> None:
    """Raise :class:`SubmissionError` where a cell that holds something was read as blank."""
    for row, columns in held.filled.items():
        read = cells[row] if row < len(cells) else []
        for column in columns:
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
    """The row of a sheet that holds the headings: its place and its text."""

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
    titles = known_headings(table.titles, wanted)
    counted = {title: titles.count(title) for title in wanted}
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
        table.file, titles, wanted, contract, sheet=table.sheet, line=table.line
    )
    return {title: titles.index(title) for title in wanted}, warnings


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
            f"Column {place} of the table is not in the contract; it is not loaded. Tell the data "
            "engineer if it is meant.",
            file=file.name,
            sheet=sheet,
            line=line,
            column=readable(title),
            severity="warning",
        )
        for place, title in enumerate(titles, start=1)
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
