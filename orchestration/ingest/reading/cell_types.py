"""What the cells of a sheet are, by the types that the workbook's own format gives them.

The reader of workbooks gives blank for a cell that holds an error. Here each format is asked for
the types of its cells: XLSX and ODS by their XML elements (lxml), XLS by its records (xlrd). That
second look is also the count of what is in the file, against which the rows read are held.
"""

import functools
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, Any

import xlrd
from lxml import etree

from orchestration.ingest.checking.faults import Fault, SubmissionError
from orchestration.ingest.checking.rules import ERROR_TEXT
from orchestration.ingest.landing.landing_zone import LandedFile

Place = tuple[int, int]
"""Row and column of a cell, counted from 0."""

_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    KeyError,
    OverflowError,
    ValueError,
    etree.XMLSyntaxError,
)
# What xlrd raises on a damaged workbook, beside its own error.
_XLS_DAMAGE = (
    xlrd.XLRDError,
    xlrd.compdoc.CompDocError,
    AssertionError,
    IndexError,
    KeyError,
    OverflowError,
    TypeError,
    ValueError,
    struct.error,
)
_MOST_BYTES = 400 * 2**20
_MOST_CELLS = 20_000_000
_NO_VALUE = "#VALUE!"
_ERROR = re.compile(ERROR_TEXT)


@dataclass
class SheetCells:
    """The cells of one sheet: which hold anything, which hold an error, what is hidden.

    Rows and columns are counted from 0. ``filled`` gives the columns of each row that hold
    anything to see; an error counts as something.
    """

    filled: dict[int, set[int]] = field(default_factory=dict)
    errors: dict[Place, str] = field(default_factory=dict)
    texts: dict[Place, str] = field(default_factory=dict)
    """Texts that a reader would run together, such as those over several lines."""
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)

    def add(self, row: int, column: int, error: str | None = None) -> None:
        """Note a cell that holds something."""
        self.filled.setdefault(row, set()).add(column)
        if error:
            self.errors[row, column] = error


class CellTypes:
    """The types of a workbook's cells, read sheet by sheet as they are asked for."""

    def __init__(self, file: LandedFile) -> None:
        self._file = file
        self._read: dict[str, SheetCells] = {}

    def sheet(self, name: str) -> SheetCells:
        """Return the cells of one sheet. Raises :class:`SubmissionError` where it is damaged."""
        if name not in self._read:
            with _Refusing(self._file, name):
                self._read[name] = self._cells(name)
                _refuse_vast(self._file, self._read[name])
        return self._read[name]

    def _cells(self, name: str) -> SheetCells:
        raise NotImplementedError


def cell_types(file: LandedFile) -> CellTypes:
    """Return what reads the types of a workbook's cells, known by its content.

    Raises :class:`SubmissionError` for a workbook that is damaged, or would not fit into memory
    once unpacked.
    """
    if not zipfile.is_zipfile(file.path):
        return _Xls(file)
    with _Refusing(file), zipfile.ZipFile(file.path) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > _MOST_BYTES:
            raise SubmissionError(_oversized(file, f"{_MOST_BYTES >> 20} megabytes"))
        names = {entry.filename for entry in entries}
    return _Ods(file) if "content.xml" in names else _Xlsx(file)


class _Refusing:
    """Turns what a library raises on a damaged workbook into a refusal that names the file."""

    def __init__(self, file: LandedFile, sheet: str | None = None) -> None:
        self._file, self._sheet = file, sheet

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, (*_DAMAGE, *_XLS_DAMAGE)):
            raise SubmissionError(
                Fault(
                    "can be opened",
                    "The workbook is damaged: what it holds cannot be unpacked. Open it in a "
                    "spreadsheet program, save it, and send it again.",
                    file=self._file.name,
                    sheet=self._sheet,
                )
            ) from error


def _refuse_vast(file: LandedFile, cells: SheetCells) -> None:
    """Refuse a sheet whose rectangle of cells a reader could not lay out in memory."""
    rows = max(cells.filled, default=-1) + 1
    columns = max((max(row) for row in cells.filled.values()), default=-1) + 1
    if rows * columns > _MOST_CELLS:
        raise SubmissionError(_oversized(file, f"{_MOST_CELLS:,} cells"))


def _oversized(file: LandedFile, limit: str) -> Fault:
    return Fault(
        "is of a reasonable size",
        f"Unpacked, the workbook would hold more than {limit}. Delete the rows and columns beyond "
        "the table, and save it again.",
        file=file.name,
    )


def _elements(stream: IO[bytes], *tags: str) -> Iterator[Any]:
    """Yield each element of these names as it ends, whatever its namespace; forget it after."""
    parsed = etree.iterparse(
        stream,
        events=("end",),
        tag=[f"{{*}}{tag}" for tag in tags],
        huge_tree=True,
        resolve_entities=False,
        no_network=True,
    )
    for _, element in parsed:
        yield element
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]


def _local(name: object) -> str:
    return str(name).rpartition("}")[2]


def _attribute(element: Any, local: str) -> str | None:
    """Return an attribute by its name without its namespace, which differs by strictness."""
    return next((str(value) for name, value in element.items() if _local(name) == local), None)


# --- XLSX ------------------------------------------------------------------------------------


class _Xlsx(CellTypes):
    def _cells(self, name: str) -> SheetCells:
        with zipfile.ZipFile(self._file.path) as archive, archive.open(self._parts[name]) as part:
            cells = SheetCells()
            row = -1
            for element in _elements(part, "row", "col"):
                if _local(element.tag) == "col":
                    _add_hidden_columns(cells, element)
                    continue
                row = int(element.get("r", row + 2)) - 1
                self._add_row(cells, element, row)
            return cells

    def _add_row(self, cells: SheetCells, element: Any, row: int) -> None:
        # The namespace of a cell is its row's; looking names up in it is quicker than searching.
        space = element.tag.removesuffix("row")
        cell_tag, value_tag, formula_tag = f"{space}c", f"{space}v", f"{space}f"
        column = -1
        for cell in element:
            if cell.tag != cell_tag:
                continue
            name = cell.get("r")
            column, line = _place(name) if name else (column + 1, row)
            kind, value, formula = cell.get("t", "n"), "", False
            for part in cell:
                if part.tag == value_tag:
                    value = (part.text or "").strip()
                formula = formula or part.tag == formula_tag
            error = _xlsx_error(kind, value, formula=formula)
            if error or self._holds(cell, kind, value):
                cells.add(line, column, error)
        if element.get("hidden") in ("1", "true") and row in cells.filled:
            cells.hidden_rows.add(row)

    def _holds(self, cell: Any, kind: str, value: str) -> bool:
        if kind == "inlineStr":
            return bool(_visible_text(cell))
        return self._texts[int(value)] if kind == "s" and value else bool(value)

    @cached_property
    def _texts(self) -> list[bool]:
        """Whether each of the texts that the sheets share holds anything to see."""
        with zipfile.ZipFile(self._file.path) as archive:
            part = self._part_of_kind(archive, "sharedStrings")
            if part is None:
                return []
            with archive.open(part) as stream:
                return [bool(_visible_text(element)) for element in _elements(stream, "si")]

    def _part_of_kind(self, archive: zipfile.ZipFile, kind: str) -> str | None:
        return next((place for _, place, one in self._relations(archive) if one == kind), None)

    def _relations(self, archive: zipfile.ZipFile) -> list[tuple[str, str, str]]:
        """Return identifier, part and kind of everything that the workbook refers to."""
        folder, name = posixpath.split(self._workbook_part(archive))
        return _related(archive, f"{folder}/_rels/{name}.rels", folder)

    @staticmethod
    def _workbook_part(archive: zipfile.ZipFile) -> str:
        related = _related(archive, "_rels/.rels", "")
        return next((place for _, place, kind in related if kind == "officeDocument"))

    @cached_property
    def _parts(self) -> Mapping[str, str]:
        """The part of the archive that holds each sheet, by the sheet's name."""
        with zipfile.ZipFile(self._file.path) as archive:
            parts = {number: place for number, place, _ in self._relations(archive)}
            with archive.open(self._workbook_part(archive)) as stream:
                return {
                    str(_attribute(sheet, "name")): parts[str(_attribute(sheet, "id"))]
                    for sheet in _elements(stream, "sheet")
                }


def _related(archive: zipfile.ZipFile, part: str, folder: str) -> list[tuple[str, str, str]]:
    with archive.open(part) as stream:
        return [
            (
                element.get("Id", ""),
                posixpath.normpath(posixpath.join("/", folder, element.get("Target", ""))).lstrip(
                    "/"
                ),
                element.get("Type", "").rpartition("/")[2],
            )
            for element in _elements(stream, "Relationship")
        ]


def _xlsx_error(kind: str, value: str, *, formula: bool) -> str | None:
    """Return the error that a cell shows; also where its formula was stored without a value.

    An empty text is a value that a formula may well have.
    """
    if kind == "e":
        return value or _NO_VALUE
    return _NO_VALUE if formula and not value and kind in ("n", "b", "d") else None


def _visible_text(element: Any) -> str:
    """Return the text of a string element without its phonetic guides."""
    runs = (
        run.text or ""
        for run in element.iter("{*}t")
        if all(_local(above.tag) != "rPh" for above in run.iterancestors())
    )
    return "".join(runs).strip()


def _add_hidden_columns(cells: SheetCells, element: Any) -> None:
    if element.get("hidden") in ("1", "true"):
        cells.hidden_columns.update(range(int(element.get("min")) - 1, int(element.get("max"))))


def _place(name: str) -> tuple[int, int]:
    """Return column and row of a cell's name, such as B7, counted from 0."""
    letters = name.rstrip("0123456789")
    return _column(letters), int(name[len(letters) :]) - 1


@functools.cache
def _column(letters: str) -> int:
    if len(letters) > 3 or not letters.isalpha():
        raise ValueError(f"a cell is named {letters}")
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


# --- ODS -------------------------------------------------------------------------------------


class _Ods(CellTypes):
    def _cells(self, name: str) -> SheetCells:
        return self._sheets[name]

    @cached_property
    def _sheets(self) -> Mapping[str, SheetCells]:
        """The cells of all sheets, which one part of the archive holds together."""
        sheets: dict[str, SheetCells] = {}
        with zipfile.ZipFile(self._file.path) as archive, archive.open("content.xml") as stream:
            current, row, column = SheetCells(), 0, 0
            for element in _elements(stream, "table-row", "table-column", "table"):
                kind = _local(element.tag)
                if kind == "table":
                    sheets[str(_attribute(element, "name"))] = current
                    current, row, column = SheetCells(), 0, 0
                elif kind == "table-column":
                    column = _add_ods_columns(current, element, column)
                else:
                    row = _add_ods_rows(current, element, row)
        return sheets


_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_KIND = f"{_OFFICE}value-type"
_CALC_KIND = f"{_CALC}value-type"
_FORMULA = f"{_TABLE}formula"
_STORED = f"{_OFFICE}string-value"
_COLUMNS = f"{_TABLE}number-columns-repeated"
_PARAGRAPH = f"{_TEXT}p"


def _repeats(element: Any, of: str) -> int:
    return int(element.get(f"{_TABLE}number-{of}-repeated") or 1)


def _is_hidden(element: Any) -> bool:
    return element.get(f"{_TABLE}visibility") in ("collapse", "filter")


def _add_ods_columns(cells: SheetCells, element: Any, column: int) -> int:
    after = column + _repeats(element, "columns")
    if _is_hidden(element):
        cells.hidden_columns.update(range(column, min(after, column + 1024)))
    return after


def _add_ods_rows(cells: SheetCells, element: Any, row: int) -> int:
    """Note the cells of a row element; return the number of the row after it."""
    columns: set[int] = set()
    odd: list[tuple[int, str | None, str | None]] = []
    column = 0
    for cell in element:
        if cell.tag not in _CELLS:
            continue
        repeats = int(cell.get(_COLUMNS) or 1)
        holds, error, text = _ods_cell(cell)
        if holds:
            _refuse_repeats(repeats)
            columns.update(range(column, column + repeats))
            if error or text:
                odd += [(place, error, text) for place in range(column, column + repeats)]
        column += repeats
    after_row = row + _repeats(element, "rows")
    if columns:
        _refuse_repeats((after_row - row) * len(columns))
        for one in range(row, after_row):
            _add_ods_row(cells, one, columns, odd)
            if _is_hidden(element):
                cells.hidden_rows.add(one)
    return after_row


def _add_ods_row(
    cells: SheetCells, row: int, columns: set[int], odd: list[tuple[int, str | None, str | None]]
) -> None:
    cells.filled[row] = columns
    for place, error, text in odd:
        if error:
            cells.errors[row, place] = error
        elif text:
            cells.texts[row, place] = text


def _refuse_repeats(times: int) -> None:
    if times > _MOST_CELLS:
        raise OverflowError("a cell is repeated beyond all reason")


def _ods_cell(cell: Any) -> tuple[bool, str | None, str | None]:
    """Return whether a cell holds anything, the error that it shows, and a text of several lines.

    Not every program says that it is an error: some store 0 or no text, and show it.
    """
    kind = cell.get(_KIND)
    is_error = cell.get(_CALC_KIND) == "error"
    if is_error or cell.get(_FORMULA) is not None:
        shown = _ods_text(cell)
        if is_error or _ERROR.fullmatch(shown):
            return True, shown or _NO_VALUE, None
    if kind not in (None, "string"):
        return True, None, None
    stored = cell.get(_STORED)
    if stored is not None:
        return bool(stored.strip()), None, None
    if len(cell) == 1 and not len(cell[0]) and cell[0].tag == _PARAGRAPH:
        return bool((cell[0].text or "").strip()), None, None
    text = _ods_text(cell)
    return bool(text), None, text or None


def _ods_text(cell: Any) -> str:
    """Return the text that a cell shows, without its comment."""
    if not len(cell):
        return ""
    paragraphs = (_paragraph(one) for one in cell.iterchildren(_PARAGRAPH))
    return "\n".join(paragraphs).strip()


def _paragraph(element: Any) -> str:
    """Return a paragraph's text; spaces, tabs and line breaks are elements of their own in it."""
    parts = [element.text or ""]
    for one in element:
        kind = _local(one.tag)
        if kind in ("line-break", "tab", "s"):
            parts.append(" ")
        elif kind != "annotation":
            parts.append(_paragraph(one))
        parts.append(one.tail or "")
    return "".join(parts)


# --- XLS -------------------------------------------------------------------------------------


class _Xls(CellTypes):
    @cached_property
    def _book(self) -> Any:
        return xlrd.open_workbook(self._file.path, on_demand=True, logfile=_Nowhere())

    def _cells(self, name: str) -> SheetCells:
        sheet = self._book.sheet_by_name(name)
        cells = SheetCells()
        for row in range(sheet.nrows):
            values = zip(sheet.row_types(row), sheet.row_values(row), strict=True)
            for column, (kind, value) in enumerate(values):
                if kind == xlrd.XL_CELL_ERROR:
                    cells.add(row, column, xlrd.error_text_from_code.get(value, _NO_VALUE))
                elif kind not in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK) and str(value).strip():
                    cells.add(row, column)
        self._book.unload_sheet(name)
        return cells


class _Nowhere:
    """Takes what xlrd would print."""

    def write(self, _: str) -> None:
        """Take a text and do nothing with it."""
