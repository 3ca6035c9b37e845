"""Small CSV files for sources whose rows have a key: read row by row, headings by the contract.

A source's ``reader.py`` calls :func:`csv_rows` and adds what it derives. Files of millions of rows
belong to the engine instead (``layout = "csv"`` in the contract), which checks no key.
"""

import csv
from collections.abc import Iterator

from orchestration.ingest.contract import Contract
from orchestration.ingest.faults import Fault, SubmissionError
from orchestration.ingest.landing import LandedFile
from orchestration.ingest.reading import Row
from orchestration.ingest.scan import scan_csv


def csv_rows(file: LandedFile, contract: Contract) -> Iterator[Row]:
    """Yield a row for each line below the header: text by column name, blank as None.

    Raises :class:`SubmissionError` for a file that :func:`scan_csv` would not read, and for a line
    that has more or fewer fields than the header.
    """
    scanned = scan_csv(file, contract)
    names = [
        contract.by_header[header].name if header in contract.by_header else None
        for header in scanned.header
    ]
    with file.path.open(encoding="utf-8-sig", newline="") as stream:
        lines = csv.reader(stream)
        next(lines)
        for fields in lines:
            if not fields:
                continue
            if len(fields) != len(names):
                raise SubmissionError(_uneven(file, lines.line_num, len(fields), len(names)))
            values = {name: field.strip() or None for name, field in _pairs(names, fields)}
            yield Row(values, lines.line_num)


def _pairs(names: list[str | None], fields: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the fields of columns that the contract knows."""
    for name, field in zip(names, fields, strict=True):
        if name is not None:
            yield name, field


def _uneven(file: LandedFile, line: int, found: int, expected: int) -> Fault:
    return Fault(
        "is a row of the table",
        f"The line has {found} fields and the header {expected}. Put values that hold commas in "
        "quotation marks, and send the file again.",
        file=file.name,
        line=line,
    )
