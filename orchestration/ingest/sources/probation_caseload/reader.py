"""Reads a caseload snapshot: a CSV of one row a person, by the headings in the contract.

Read here and not by the engine in bulk, because a person may stand on a caseload once only.
"""

import csv
from pathlib import Path

from orchestration.ingest.contract import load_contract
from orchestration.ingest.faults import Fault, SubmissionError
from orchestration.ingest.landing import LandedFile
from orchestration.ingest.reading import Row, decode_text
from orchestration.ingest.scan import scan_csv


def read(file: LandedFile) -> list[Row]:
    """Return one row for each person; ``line`` is that of the file.

    Raises :class:`SubmissionError` for a file that is not whole, lacks a column, or has a line with
    more values than the header.
    """
    contract = load_contract(Path(__file__).parent)
    header = scan_csv(file, contract).header
    table = csv.reader(decode_text(file).splitlines())
    next(table)
    rows = []
    for values in table:
        if len(values) > len(header):
            raise SubmissionError(_too_many(file, table.line_num, len(header)))
        record = dict(zip(header, values, strict=False))
        if values:
            cells = {
                column.name: record.get(heading, "").strip() or None
                for heading, column in contract.by_header.items()
            }
            rows.append(Row(cells, table.line_num))
    return rows


def _too_many(file: LandedFile, line: int, columns: int) -> Fault:
    return Fault(
        "is a row of the table",
        f"The line has more than the {columns} columns of the header. Put quotation marks round "
        "a value that holds a comma.",
        file=file.name,
        line=line,
    )
