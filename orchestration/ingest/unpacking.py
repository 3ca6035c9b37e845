"""How large a workbook is once it is unpacked, before anything unpacks it into memory.

XLSX and ODS workbooks are zip archives: a file of a few kilobytes may hold gigabytes, or one stray
cell at the far corner of a sheet, for which a reader would lay out every cell between.
"""

import re
import zipfile
import zlib

from orchestration.ingest.faults import Fault, SubmissionError
from orchestration.ingest.landing import LandedFile

_MOST_BYTES = 400 * 2**20
_MOST_CELLS = 20_000_000
_CELL = re.compile(rb'<(?:\w+:)?c [^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')


def refuse_oversized(file: LandedFile) -> None:
    """Raise :class:`SubmissionError` for a workbook that would not fit into memory.

    What is not a zip archive is passed over: it cannot unpack to more than its own size.
    """
    if not zipfile.is_zipfile(file.path):
        return
    try:
        with zipfile.ZipFile(file.path) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > _MOST_BYTES:
                raise SubmissionError(_oversized(file, f"{_MOST_BYTES >> 20} megabytes"))
            for entry in entries:
                if _is_sheet(entry.filename):
                    _refuse_vast_sheet(file, archive.read(entry))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise SubmissionError(
            Fault(
                "can be opened",
                "The workbook is damaged: what it holds cannot be unpacked.",
                file=file.name,
            )
        ) from error


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
