"""The rows of a large OpenDocument spreadsheet, read one by one in little memory.

``source_reading.open_workbook`` reads a workbook whole and looks at every cell twice. A published
table of a gigabyte of XML is read here instead: each row is parsed, handed over and forgotten.
"""

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from lxml import etree

from orchestration.ingest.checking.faults import Fault, SubmissionError
from orchestration.ingest.landing.landing_zone import LandedFile

_MOST_BYTES = 8 << 30
"""Most bytes of XML that are read; the largest published table has 1.4 GB."""

_MOST_REPEATS = 1_000
_MOST_COLUMNS = 256
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_PARAGRAPH, _ANNOTATION = f"{_TEXT}p", f"{_OFFICE}annotation"
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


@dataclass(frozen=True)
class SheetRow:
    """A row of a sheet that holds anything: cells as text, none for blank; line from 1."""

    sheet: str
    line: int
    cells: tuple[str | None, ...]


def ods_rows(file: LandedFile) -> Iterator[SheetRow]:
    """Yield the rows of every sheet, in the order of the file.

    Raises :class:`SubmissionError` for a file that is no such spreadsheet, is damaged, is locked,
    or unpacks to more than any table has.
    """
    if file.path.stat().st_size == 0:
        raise SubmissionError(
            Fault("not empty", "The workbook is empty (0 bytes). Send it again.", file=file.name)
        )
    try:
        with zipfile.ZipFile(file.path) as archive:
            content = archive.getinfo("content.xml")
            if content.flag_bits & 1:
                raise SubmissionError(
                    Fault("is not locked", "The workbook has a password. Send it without one.",
                          file=file.name)
                )  # fmt: skip
            if content.file_size > _MOST_BYTES:
                raise SubmissionError(_too_large(file))
            with archive.open(content) as stream:
                yield from _rows(stream, file)
    except _DAMAGE as error:
        raise SubmissionError(
            Fault(
                "can be opened",
                "The file is not an OpenDocument spreadsheet that can be read: it is damaged, or "
                "of another kind than its name says. Download it again.",
                file=file.name,
            )
        ) from error


def _too_large(file: LandedFile) -> Fault:
    return Fault(
        "is of a reasonable size",
        f"Unpacked, the spreadsheet has more than {_MOST_BYTES >> 30} gigabytes. Send the "
        "published table alone.",
        file=file.name,
    )


def _rows(stream: IO[bytes], file: LandedFile) -> Iterator[SheetRow]:
    sheet, line = "", 0
    events = etree.iterparse(
        stream,
        events=("start", "end"),
        tag=(f"{_TABLE}table", f"{_TABLE}table-row"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
    )
    for event, element in events:
        if element.tag == f"{_TABLE}table":
            if event == "start":
                sheet, line = element.get(f"{_TABLE}name", ""), 0
            else:
                element.clear()
            continue
        if event == "start":
            continue
        cells = _cells(element)
        repeats = _repeats(element, "rows")
        if cells:
            if repeats > _MOST_REPEATS:
                raise SubmissionError(_too_large(file))
            for one in range(repeats):
                yield SheetRow(sheet, line + one + 1, cells)
        line += repeats
        _forget(element)


def _forget(row: Any) -> None:
    """Take a row that was read out of the tree, with all that came before it."""
    row.clear()
    parent = row.getparent()
    while row.getprevious() is not None:
        del parent[0]


def _cells(row: Any) -> tuple[str | None, ...]:
    """Return the cells of a row up to the last that holds anything."""
    found: list[str | None] = []
    blank = 0
    for cell in row:
        if cell.tag not in _CELLS:
            continue
        repeats = _repeats(cell, "columns")
        text = _text(cell)
        if text is None:
            blank += repeats
            continue
        found.extend([None] * min(blank, _MOST_COLUMNS))
        found.extend([text] * min(repeats, _MOST_COLUMNS))
        blank = 0
    return tuple(found)


def _repeats(element: Any, what: str) -> int:
    return int(element.get(f"{_TABLE}number-{what}-repeated", 1))


def _text(cell: Any) -> str | None:
    """Return a number as it is stored, and anything else, an error too, as it is shown."""
    kind = cell.get(f"{_OFFICE}value-type")
    if kind in ("float", "percentage", "currency") and not _is_error(cell):
        number = float(cell.get(f"{_OFFICE}value"))
        return str(int(number)) if number.is_integer() else repr(number)
    lines = ("".join(part.itertext()) for part in cell if part.tag == _PARAGRAPH)
    return " ".join(" ".join(lines).split()) or None


def _is_error(cell: Any) -> bool:
    return any(
        name.endswith("}value-type") and value == "error" for name, value in cell.attrib.items()
    )
