"""The rows of a delivered file on disk, as Arrow: written where it is read, loaded from there.

Rows are written and loaded some thousands at a time, so that a large file takes no more memory than
a small one.
"""

import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import pyarrow as pa

from orchestration.config.identifying_texts import holds_identifier, identifying
from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.reading.source_reading import Row

_ROWS_AT_A_TIME = 10_000
_SUSPECT = re.compile(r"(?:\d\D*){3}|@")


def write_rows(path: Path, rows: Iterable[Row], contract: Contract) -> int:
    """Write rows to a new file: the contract's columns as text, and the place of each row.

    Returns their number. Raises OSError where the file cannot be written, and
    :class:`pyarrow.ArrowInvalid` or UnicodeEncodeError for a value that is no text.
    """
    schema = row_schema(contract)
    left, written = iter(rows), 0
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema) as stream:
        while some := list(islice(left, _ROWS_AT_A_TIME)):
            stream.write_batch(_row_batch(some, contract, schema))
            written += len(some)
    return written


def row_schema(contract: Contract) -> pa.Schema:
    """Return the columns of a row file."""
    text = pa.string()
    return pa.schema(
        [
            *((column.name, text) for column in contract.columns),
            ("_sheet", text),
            ("_line", pa.int64()),
            ("_column", text),
            ("_fault", text),
            ("_reveals", text),
        ]
    )


def _row_batch(rows: list[Row], contract: Contract, schema: pa.Schema) -> pa.RecordBatch:
    # A reader of several layouts fills some of the columns; the others cost nothing.
    filled = set().union(*{tuple(row.values) for row in rows})
    values = [
        pa.array([row.values.get(column.name) for row in rows], pa.string())
        if column.name in filled
        else pa.nulls(len(rows), pa.string())
        for column in contract.columns
    ]
    places = [
        pa.array([row.sheet for row in rows], pa.string()),
        pa.array([row.line for row in rows], pa.int64()),
        pa.array([row.column for row in rows], pa.string()),
        pa.array([row.fault for row in rows], pa.string()),
        pa.array(_revealing(rows, contract), pa.string()),
    ]
    return pa.record_batch([*values, *places], schema=schema)


def _revealing(rows: list[Row], contract: Contract) -> list[str | None]:
    """Return for each row the heading of a text that may identify a person, None where none does.

    Only a text that no list and no form bounds may. A source that is not about people has days and
    counts in its texts, which are no sign of one.
    """
    found: list[str | None] = [None] * len(rows)
    reveals = identifying if contract.about_people else holds_identifier
    for column in contract.columns:
        if not column.is_open:
            continue
        values = [row.values.get(column.name) for row in rows]
        # All that is looked for has an @ or several digits; most names have neither.
        suspect = {value for value in set(values) if value and _SUSPECT.search(value)}
        revealing = {value for value in suspect if reveals(value)}
        if revealing:
            found = [
                column.title if value in revealing else known
                for value, known in zip(values, found, strict=True)
            ]
    return found
