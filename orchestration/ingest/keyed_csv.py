"""CSV files whose rows have a key: read line by line, so that every row has its own line number.

A contract with ``layout = "keyed_csv"`` needs no reader of its own; a source's ``reader.py`` that
meets a CSV calls :func:`csv_rows`. Files of millions of rows belong to the engine instead
(``layout = "csv"``), which checks no key. Values are judged by the engine in either case.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestration.ingest.contract import Contract
from orchestration.ingest.landing import LandedFile
from orchestration.ingest.reading import Reading, Row, unknown_columns
from orchestration.ingest.scan import scan_csv


def read_keyed_csv(file: LandedFile, contract: Contract) -> Reading:
    """Return the rows of a CSV whose headings are the contract's.

    Raises :class:`SubmissionError` for a file that :func:`scan_csv` would not read.
    """
    headings = {heading: column.name for heading, column in contract.by_header.items()}
    return csv_rows(file, headings, contract)


def csv_rows(file: LandedFile, headings: Mapping[str, str], contract: Contract) -> Reading:
    """Return a row for each line below the header: text by column name, blank as None.

    ``headings`` gives the name for each heading. A line that has more or fewer fields than the
    header is a row that cannot be loaded. Raises :class:`SubmissionError` for a file that
    :func:`scan_csv` would not read.
    """
    header = scan_csv(file, headings).header
    names = [headings.get(heading) for heading in header]
    warnings = unknown_columns(file, header, headings, contract)
    with file.path.open(encoding="utf-8-sig", newline="") as stream:
        lines = csv.reader(stream)
        next(lines)
        return Reading(list(_rows(lines, names)), warnings)


def _rows(lines: Any, names: Sequence[str | None]) -> Iterator[Row]:
    """Yield the rows of a ``csv.reader``; a row's line is the first that it stands on."""
    while True:
        line = lines.line_num + 1
        try:
            fields = next(lines)
        except StopIteration:
            return
        except csv.Error:
            yield Row({}, line, fault="The line holds a value that is far too long for a cell.")
            continue
        if not fields or fields == [""]:
            continue
        if len(fields) != len(names):
            more = "more" if len(fields) > len(names) else "fewer"
            said = f"The line has {more} than the {len(names)} columns of the header."
            yield Row({}, line, fault=said)
            continue
        pairs = zip(names, fields, strict=True)
        yield Row({name: field.strip() or None for name, field in pairs if name}, line)
