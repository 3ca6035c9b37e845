"""What a workbook is as an archive, before anything unpacks it into memory.

XLSX and ODS workbooks are zip archives: a file of a few kilobytes may hold gigabytes, or one stray
cell at the far corner of a sheet, for which a reader would lay out every cell between. And the
reader of workbooks gives blank for a formula that failed, which only the archive tells from none.
"""

import re
import zipfile
import zlib
from collections.abc import Mapping
from xml.etree import ElementTree

from orchestration.ingest.faults import Fault, SubmissionError
from orchestration.ingest.landing import LandedFile

_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ElementTree.ParseError,
)
_MOST_BYTES = 400 * 2**20
_MOST_CELLS = 20_000_000
_CELL = re.compile(rb'<(?:\w+:)?c [^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')


_FAILED = re.compile(
    rb'<c r="([A-Z]{1,3})([0-9]{1,7})"[^>]*>'
    rb"(?:<f\b[^>]*/>|<f\b[^>]*>[^<]*</f>)(?:<v>(#[^<]*)?</v>|<v/>)?</c>"
)
_NO_VALUE = "#VALUE!"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"

FailedCells = Mapping[str, Mapping[tuple[int, int], str]]
"""By sheet, then by row and column counted from 0: what a cell of a failed formula shows."""


def look_inside(file: LandedFile) -> FailedCells:
    """Return the cells of an XLSX whose formula gives an error or has no stored value.

    Raises :class:`SubmissionError` for a workbook that would not fit into memory. What is not a
    zip archive is passed over: it cannot unpack to more than its own size.
    """
    failed: dict[str, Mapping[tuple[int, int], str]] = {}
    if not zipfile.is_zipfile(file.path):
        return failed
    try:
        with zipfile.ZipFile(file.path) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > _MOST_BYTES:
                raise SubmissionError(_oversized(file, f"{_MOST_BYTES >> 20} megabytes"))
            names = _sheet_names(archive)
            for entry in entries:
                if _is_sheet(entry.filename):
                    content = archive.read(entry)
                    _refuse_vast_sheet(file, content)
                    failed[names.get(entry.filename, "")] = _failed_cells(content)
    except _DAMAGE as error:
        raise SubmissionError(
            Fault(
                "can be opened",
                "The workbook is damaged: what it holds cannot be unpacked.",
                file=file.name,
            )
        ) from error
    return failed


def _sheet_names(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the name of the sheet that each part of the archive holds."""
    listed = {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"}
    if not listed <= set(archive.namelist()):
        return {}
    parts = {
        relation.get("Id"): relation.get("Target", "")
        for relation in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    }
    sheets = ElementTree.fromstring(archive.read("xl/workbook.xml")).findall(".//{*}sheet")
    places = {str(sheet.get("name")): parts.get(sheet.get(_RELATION), "") for sheet in sheets}
    return {
        place.removeprefix("/") if place.startswith("/") else f"xl/{place}": name
        for name, place in places.items()
    }


def _failed_cells(content: bytes) -> dict[tuple[int, int], str]:
    return {
        (int(row) - 1, _number(letters) - 1): error.decode() or _NO_VALUE
        for letters, row, error in _FAILED.findall(content)
    }


def _is_sheet(name: str) -> bool:
    return "worksheets/" in name and name.endswith(".xml")


def _refuse_vast_sheet(file: LandedFile, content: bytes) -> None:
    rows = columns = 0
    for found in _CELL.finditer(content):
        columns = max(columns, _number(found.group(1)))
        rows = max(rows, int(found.group(2)))
    if rows * columns > _MOST_CELLS:
        raise SubmissionError(_oversized(file, f"{_MOST_CELLS:,} cells"))


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _oversized(file: LandedFile, limit: str) -> Fault:
    return Fault(
        "is of a reasonable size",
        f"Unpacked, the workbook would hold more than {limit}. Delete the rows and columns beyond "
        "the table, and save it again.",
        file=file.name,
    )
