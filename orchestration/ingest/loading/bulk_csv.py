"""Bulk CSV: DuckDB reads, checks and loads many files of many deliveries in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.ingest.checking.contract import Column, Contract
from orchestration.ingest.checking.faults import Fault
from orchestration.ingest.checking.rules import Rule, acceptable, broken_rules, typed
from orchestration.ingest.reading.csv_integrity import ScannedFile
from orchestration.warehouse.sql_quoting import literal


@dataclass(frozen=True)
class BulkFile:
    """A scanned file with the numbers under which its rows are loaded."""

    scanned: ScannedFile
    file_id: int
    delivery_id: int

    @property
    def name(self) -> str:
        """Name within the delivery."""
        return self.scanned.file.name


def read_csv_call(files: Sequence[ScannedFile], contract: Contract, *, tolerant: bool) -> str:
    """Return a ``read_csv`` call over files of one header.

    ``tolerant`` reads every column as text, passes over lines that are not rows and notes them in
    ``reject_errors``. Otherwise the reader turns fractions into numbers as it reads, which is
    cheaper than a cast afterwards, and a value that is none is an error.
    """
    columns = ", ".join(
        f"{literal(_name(heading, place, contract))}: "
        f"'{'VARCHAR' if tolerant else _read_as(heading, contract)}'"
        for place, heading in enumerate(files[0].header)
    )
    paths = ", ".join(literal(_no_pattern(scanned.file.path)) for scanned in files)
    options = "ignore_errors = true, store_rejects = true, " if tolerant else ""
    return (
        f"read_csv([{paths}], {options}header = true, auto_detect = false, delim = ',', "
        f"quote = '\"', escape = '\"', columns = {{{columns}}})"
    )


def _name(heading: str, place: int, contract: Contract) -> str:
    column = contract.by_header.get(heading)
    return column.name if column else f"unknown_{place}"


def _read_as(heading: str, contract: Contract) -> str:
    """Return the type that the reader gives a column; text where a rule looks at the text."""
    column = contract.by_header.get(heading)
    if column is None or column.type != "DOUBLE" or column.pattern or column.allowed:
        return "VARCHAR"
    return "DOUBLE"


def _no_pattern(path: Path) -> str:
    """Return a path whose brackets and stars DuckDB does not read as a pattern."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(path))


def insert_files(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    files: Sequence[BulkFile],
    *,
    tolerant: bool,
) -> None:
    """Load the acceptable rows of ``files`` (all of one header) into the raw table.

    Raises :class:`duckdb.Error` where a line is not a row, or a fraction is not a number, and
    ``tolerant`` is off.
    """
    values = ", ".join(typed(column, contract) for column in contract.stored_columns)
    deliveries = ", ".join(str(file.delivery_id) for file in files)
    numbers = ", ".join(str(file.file_id) for file in files)
    source = read_csv_call([file.scanned for file in files], contract, tolerant=tolerant)
    connection.execute(
        f"insert into {contract.raw_table} "
        f"select {values}, "
        f"([{deliveries}]::integer[])[file_index::integer + 1], "
        f"([{numbers}]::integer[])[file_index::integer + 1] "
        f"from {source} where {acceptable(contract)}"
    )


def refused_lines(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    file: BulkFile,
    most: int,
    stray: Rule | None = None,
) -> tuple[list[Fault], int]:
    """Read one file again; return what is wrong with the lines that were not loaded.

    ``stray`` is a rule of this file alone.

    Returns at most about ``most`` faults, those of the first lines, and the number of all lines
    that were not loaded, counted apart from those that were.
    """
    connection.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    source = read_csv_call([file.scanned], contract, tolerant=True)
    connection.execute(
        "create or replace temp table _broken as select * from "
        f"(select *, row_number() over () as position from {source}) "
        f"where ({acceptable(contract)} and {stray.condition if stray else 'true'}) is not true"
    )
    broken = connection.execute(
        f"select position, fault.column_name, fault.value, fault.rule, fault.message "
        f"from (select position, unnest({broken_rules(contract, stray)}) as fault "
        f"from (select * from _broken order by position limit {most})) order by position"
    ).fetchall()
    ((count,),) = connection.execute("select count(*) from _broken").fetchall()
    connection.execute("drop table _broken")
    unreadable = _unreadable_lines(connection, file)
    skipped = sorted({fault.line for fault in unreadable if fault.line})
    found = [
        Fault(
            rule,
            message,
            file=file.name,
            line=_line(position, skipped),
            column=column,
            value=value,
            severity="record",
        )
        for position, column, value, rule, message in broken
    ]
    faults = sorted(unreadable + found, key=lambda fault: fault.line or 0)
    return faults, count + len(skipped)


def first_line_with(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    file: BulkFile,
    column: Column,
    value: str,
) -> int | None:
    """Read one file again; return the first line that has ``value`` in a column."""
    connection.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    source = read_csv_call([file.scanned], contract, tolerant=True)
    found = connection.execute(
        f"select min(position) from (select {column.name} as value, row_number() over () "
        f"as position from {source}) where value = $1",
        [value],
    ).fetchone()
    skipped = sorted({fault.line for fault in _unreadable_lines(connection, file) if fault.line})
    return _line(found[0], skipped) if found and found[0] else None


def _line(position: int, skipped: Sequence[int]) -> int:
    """Return the line of the row at ``position``, given the lines that are not rows."""
    line = position + 1
    for passed_over in skipped:
        if passed_over > line:
            break
        line += 1
    return line


def _unreadable_lines(connection: duckdb.DuckDBPyConnection, file: BulkFile) -> list[Fault]:
    rejects = connection.execute(
        "select line, any_value(error_type::varchar) from reject_errors group by line order by line"
    ).fetchall()
    columns = len(file.scanned.header)
    messages = {
        "MISSING COLUMNS": f"The line has fewer than the {columns} columns of the header.",
        "TOO MANY COLUMNS": f"The line has more than the {columns} columns of the header.",
        "UNQUOTED VALUE": "A quotation mark is in a place where the format does not allow one.",
        "LINE SIZE OVER MAXIMUM": "The line is longer than two million characters.",
        "INVALID ENCODING": "The line holds characters that are not UTF-8.",
    }
    return [
        Fault(
            "is a row of the table",
            messages.get(kind, "The line cannot be read as a row."),
            file=file.name,
            line=line,
            severity="record",
        )
        for line, kind in rejects
    ]
