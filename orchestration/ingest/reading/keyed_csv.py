"""CSV files whose rows have a key: read line by line, so that every row has its own line number.

A contract with ``layout = "keyed_csv"`` needs no reader of its own; a source's ``reader.py`` that
meets a CSV calls :func:`csv_rows`. DuckDB reads files of millions of rows itself
(``layout = "csv"``), without a check of the key. In both cases DuckDB checks the values.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.checking.faults import Fault
from orchestration.ingest.landing.landing_zone import LandedFile
from orchestration.ingest.reading.csv_integrity import scan_csv
from orchestration.ingest.reading.source_reading import Reading, Row, unknown_columns


def read_keyed_csv(file: LandedFile, contract: Contract) -> Reading:
    """Return the rows of a CSV whose headings are the contract's.

    Raises :class:`SubmissionError` for a file that :func:`scan_csv` would not read.
    """
    headings = {heading: column.name for heading, column in contract.by_header.items()}
    return csv_rows(file, headings, contract)


def csv_rows(file: LandedFile, headings: Mapping[str, str], contract: Contract) -> Reading:
    """Return a row for each line below the header: text by column name, blank as None.

    The file is read as its rows are asked for.
    ``headings`` gives the name for each heading. A line that has more or fewer fields than the
    header is a row that cannot be loaded. Raises :class:`SubmissionError` for a file that
    :func:`scan_csv` would not read.
    """
    may_be_empty = contract.coverage.every is not None
    header = scan_csv(file, headings, may_be_empty=may_be_empty).header
    names = [headings.get(heading) for heading in header]
    warnings = unknown_columns(file, header, headings, contract)

    def rows() -> Iterator[Row]:
        passed = _PassedOver()
        with file.path.open(encoding="utf-8-sig", newline="") as stream:
            lines = csv.reader(stream)
            next(lines)
            yield from _rows(lines, header, names, passed)
        warnings.extend(passed.warnings(file))

    return Reading(rows(), warnings)


@dataclass
class _PassedOver:
    """What of a file became no value of a row: lines of separators alone, unheaded cells."""

    lines: list[int] = field(default_factory=list)
    cells: Counter[int] = field(default_factory=Counter)

    def warnings(self, file: LandedFile) -> list[Fault]:
        """Return a warning for each kind that there is."""
        faults = [
            Fault(
                "every column has a heading",
                f"Column {column + 1} has no heading and holds {count:,} values; they are left "
                "out.",
                file=file.name,
                line=1,
                severity="warning",
            )
            for column, count in sorted(self.cells.items())
        ]
        if self.lines:
            said = f"{len(self.lines):,} lines hold commas and no value; they are left out."
            faults.append(Fault("has no empty rows", said, file=file.name, line=self.lines[0],
                                severity="warning"))  # fmt: skip
        return faults


def _rows(
    lines: Any, header: Sequence[str], names: Sequence[str | None], passed: _PassedOver
) -> Iterator[Row]:
    """Yield the rows of a ``csv.reader``; a row's line is its first line."""
    unheaded = [place for place, heading in enumerate(header) if not heading]
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
        if not any(map(str.strip, fields)):
            passed.lines.append(line)
            continue
        if len(fields) != len(names):
            more = "more" if len(fields) > len(names) else "fewer"
            said = f"The line has {more} than the {len(names)} columns of the header."
            yield Row({}, line, fault=said)
            continue
        passed.cells.update(place for place in unheaded if fields[place].strip())
        pairs = zip(names, fields, strict=True)
        yield Row({name: cell.strip() or None for name, cell in pairs if name}, line)
