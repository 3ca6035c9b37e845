"""Small delimited files read row by row, for sources whose rows need a key or a derived column.

The engine reads bulk CSV by itself and looks at one row at a time; here belongs the reading of
files small enough to be held against a key, with the line of each row.
"""

import csv
import io
from collections.abc import Mapping, Sequence

from orchestration.ingest.contract import Contract
from orchestration.ingest.faults import Fault, SubmissionError
from orchestration.ingest.landing import LandedFile
from orchestration.ingest.reading import Row, decode_text
from orchestration.ingest.scan import scan_csv


def read_delimited(file: LandedFile, contract: Contract) -> list[Row]:
    """Return the rows of a CSV file under the contract's names, trimmed, empty values as None.

    The file meets the same submission rules as bulk CSV (:func:`scan_csv`). Raises
    :class:`SubmissionError` for those, and for lines with more values than the header has columns.
    """
    scan_csv(file, contract)
    table = csv.reader(io.StringIO(decode_text(file), newline=""))
    header = [name.strip() for name in next(table)]
    rows: list[Row] = []
    faults: list[Fault] = []
    for record in table:
        if not any(value.strip() for value in record):
            continue
        if len(record) > len(header):
            faults.append(_too_many(file, table.line_num, len(record), len(header)))
            continue
        rows.append(Row(_named(header, record, contract), table.line_num))
    if faults:
        raise SubmissionError(faults)
    return rows


def _named(
    header: Sequence[str], record: Sequence[str], contract: Contract
) -> Mapping[str, str | None]:
    # A short line leaves its last columns out; the contract says whether they may be.
    padded = [*record, *[""] * (len(header) - len(record))]
    return {
        contract.by_header[title].name: value.strip() or None
        for title, value in zip(header, padded, strict=True)
        if title in contract.by_header
    }


def _too_many(file: LandedFile, line: int, found: int, expected: int) -> Fault:
    return Fault(
        "has a value for each column",
        f"The line has {found} values and the header {expected} columns. A comma inside a value "
        "needs quotation marks around the value.",
        file=file.name,
        line=line,
    )
