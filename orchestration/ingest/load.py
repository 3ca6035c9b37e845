"""The load: new deliveries of one source into its raw table, refused rows into quarantine.

Each delivery ends loaded or refused, with its files and counts in ``control``; rows delivered are
always rows loaded plus rows refused. A group of deliveries is one transaction, so a killed load
leaves nothing behind.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import duckdb

from orchestration.ingest.bulk import BulkFile, insert_files, refused_lines, rows_by_file
from orchestration.ingest.contract import Contract
from orchestration.ingest.faults import Fault, SubmissionError
from orchestration.ingest.landing import refuse_moved
from orchestration.ingest.outcomes import LoadReport, Outcome
from orchestration.ingest.pending import FileLoad, Pending, look_over, pending_deliveries
from orchestration.ingest.rawtables import ensure_control, ensure_raw_table
from orchestration.ingest.reading import rows_table
from orchestration.ingest.record import record
from orchestration.ingest.rules import acceptable, broken_rules, typed
from orchestration.ingest.scan import blank_lines, first_odd_quote, no_rows
from orchestration.warehouse import is_damage, is_refused_by_disk


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.execute("begin")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def load_source(
    connection: duckdb.DuckDBPyConnection,
    raw: Path,
    contract: Contract,
    as_at: date,
    now: datetime,
) -> LoadReport:
    """Load what the landing zone holds of one source for ``as_at`` and earlier quarters.

    Deliveries whose content has not changed are passed over. A delivery that breaks a submission
    rule, or too many record rules, is refused whole, and its previous version stays in force.
    """
    with _transaction(connection):
        ensure_control(connection)
        ensure_raw_table(connection, contract)
    report = LoadReport(contract.source)
    readable: list[Pending] = []
    for one in pending_deliveries(connection, raw, contract, as_at, report):
        try:
            look_over(connection, contract, one, readable)
            readable.append(one)
        except SubmissionError as error:
            report.outcomes.append(_refuse(connection, contract, one, error.faults, now))
    for group in _groups(readable):
        report.outcomes.extend(_load_group(connection, contract, group, now))
    report.outcomes.sort(key=lambda outcome: outcome.quarter)
    return report


def _refuse(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    pending: Pending,
    faults: Sequence[Fault],
    now: datetime,
) -> Outcome:
    refuse_moved(load.file for load in pending.files)
    for load in pending.files:
        load.loaded, load.refused = 0, load.delivered
    with _transaction(connection):
        return record(connection, contract, pending, "refused", list(faults), now)


# --- loading ---------------------------------------------------------------------------------


def _groups(pending: Iterable[Pending]) -> list[list[Pending]]:
    """Group deliveries that one statement can load: all files of all of them share one header."""
    groups: dict[tuple[object, ...], list[Pending]] = defaultdict(list)
    for one in pending:
        headers = {load.scanned.header for load in one.files if load.scanned}
        alike = len(headers) == 1 and all(load.scanned for load in one.files)
        groups[(headers.pop(),) if alike else (one.delivery_id,)].append(one)
    return list(groups.values())


def _load_group(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    group: list[Pending],
    now: datetime,
    *,
    tolerant: bool = False,
) -> list[Outcome]:
    """Load a group in one transaction; where a line breaks it, each delivery alone, patiently."""
    try:
        with _transaction(connection):
            _insert(connection, contract, group, tolerant=tolerant)
            return [_settle(connection, contract, one, now) for one in group]
    except duckdb.Error as error:
        if _is_ours(error):
            raise
        if len(group) > 1:
            alone = [_load_group(connection, contract, [one], now) for one in group]
            return [outcome for outcomes in alone for outcome in outcomes]
        if not tolerant and contract.layout == "csv":
            return _load_group(connection, contract, group, now, tolerant=True)
        fault = Fault(
            "can be read",
            f"The engine cannot read the delivery as a table ({str(error).splitlines()[0]}).",
            file=group[0].files[0].file.name,
        )
        return [_refuse(connection, contract, group[0], [fault], now)]


def _is_ours(error: duckdb.Error) -> bool:
    """Say whether the machine is at fault (memory, disk, a damaged file), not the delivery."""
    kinds = (
        duckdb.OutOfMemoryException,
        duckdb.IOException,
        duckdb.TransactionException,
        duckdb.FatalException,
    )
    return isinstance(error, kinds) or is_refused_by_disk(str(error)) or is_damage(str(error))


def _insert(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    group: Sequence[Pending],
    *,
    tolerant: bool,
) -> None:
    if contract.layout == "reader":
        for one in group:
            _insert_rows(connection, contract, one)
        return
    by_header: dict[tuple[str, ...], list[BulkFile]] = defaultdict(list)
    for one in group:
        for file in _bulk_files(one):
            by_header[file.scanned.header].append(file)
    for files in by_header.values():
        insert_files(connection, contract, files, tolerant=tolerant)
    loaded = rows_by_file(connection, contract, min(one.delivery_id for one in group))
    for one in group:
        for load in one.files:
            load.loaded = loaded.get(load.file_id, 0)


def _bulk_files(pending: Pending) -> list[BulkFile]:
    return [
        BulkFile(load.scanned, load.file_id, pending.delivery_id)
        for load in pending.files
        if load.scanned
    ]


def _insert_rows(
    connection: duckdb.DuckDBPyConnection, contract: Contract, pending: Pending
) -> None:
    """Load the rows that the source's reader gave back."""
    values = ", ".join(typed(column) for column in contract.columns)
    key = ", ".join(contract.key)
    repeat = f"row_number() over (partition by {key} order by _file_id, _line)" if key else "1"
    for place, load in enumerate(pending.files):
        rows = rows_table(load.rows, contract, load.file_id)
        connection.register("_rows", rows)
        verb = (
            "create or replace temp table _incoming as" if place == 0 else "insert into _incoming"
        )
        connection.execute(f"{verb} select * from _rows")
        connection.unregister("_rows")
    connection.execute(
        f"create or replace temp table _checked as select *, {repeat} as _repeat from _incoming"
    )
    connection.execute(
        f"insert into {contract.raw_table} select {values}, {pending.delivery_id}, _file_id, "
        f"_sheet, _line, _column from _checked where {acceptable(contract)} and _repeat = 1 "
        "order by _file_id, _line"
    )
    loaded = rows_by_file(connection, contract, pending.delivery_id)
    for load in pending.files:
        load.loaded = loaded.get(load.file_id, 0)
    if any(load.loaded < load.delivered for load in pending.files):
        pending.faults = _faulty_rows(connection, contract, pending)
    connection.execute("drop table _incoming; drop table _checked")


def _faulty_rows(
    connection: duckdb.DuckDBPyConnection, contract: Contract, pending: Pending
) -> list[Fault]:
    names = {load.file_id: load.file.name for load in pending.files}
    twice = (
        "case when _repeat > 1 then [struct_pack(column_name := null::varchar, "
        "value := null::varchar, rule := 'key is unique', message := 'The same "
        f"{' and '.join(contract.key)} stand in an earlier row.')] else [] end"
    )
    rows = connection.execute(
        "select _file_id, _sheet, _line, coalesce(fault.column_name, _column), fault.value, "
        "fault.rule, fault.message from (select _file_id, _sheet, _line, _column, "
        f"unnest({broken_rules(contract)} || {twice}) as fault from _checked) "
        "order by _file_id, _sheet, _line, _column"
    ).fetchall()
    return [
        Fault(
            rule, message, file=names[file_id], sheet=sheet, line=line, column=column, value=value
        )
        for file_id, sheet, line, column, value, rule, message in rows
    ]


# --- settling --------------------------------------------------------------------------------


def _settle(
    connection: duckdb.DuckDBPyConnection, contract: Contract, pending: Pending, now: datetime
) -> Outcome:
    """Judge a delivery whose acceptable rows are in, and record it (inside the transaction)."""
    refuse_moved(load.file for load in pending.files)
    if contract.layout == "csv":
        _find_refused_lines(connection, contract, pending)
    for load in pending.files:
        load.refused = load.delivered - load.loaded
    stopping = [
        *_unbalanced(contract, pending),
        *_over_limit(contract, pending),
        *_periods_twice(connection, contract, pending),
    ]
    if stopping:
        connection.execute(
            f"delete from {contract.raw_table} where _delivery_id = ?", [pending.delivery_id]
        )
        return record(connection, contract, pending, "refused", stopping, now)
    return record(connection, contract, pending, "loaded", [], now)


def _find_refused_lines(
    connection: duckdb.DuckDBPyConnection, contract: Contract, pending: Pending
) -> None:
    for file, load in zip(_bulk_files(pending), pending.files, strict=True):
        if load.loaded != load.delivered:
            load.delivered -= blank_lines(load.file)
        if load.loaded != load.delivered:
            pending.faults += refused_lines(connection, contract, file)


def _unbalanced(contract: Contract, pending: Pending) -> list[Fault]:
    """Rows delivered must be rows loaded plus rows refused, counted by different means."""
    faults = [no_rows(load.file) for load in pending.files if load.delivered == 0]
    # What a source's own reader gives back is counted row by row; only lines can be swallowed.
    for load in pending.files if contract.layout == "csv" else []:
        refused = _faulty_line_count(pending, load)
        if load.loaded + refused != load.delivered:
            missing = load.delivered - load.loaded - refused
            faults.append(
                Fault(
                    "every line is a row",
                    f"The file has {load.delivered:,} lines below its "
                    f"header, of which {missing:,} were not read as rows of their own: a "
                    "quoted value seems to run over several lines. Take the line breaks out of "
                    "the values.",
                    file=load.file.name,
                    line=first_odd_quote(load.file),
                )
            )
    return faults


def _faulty_line_count(pending: Pending, load: FileLoad) -> int:
    return len({fault.line for fault in pending.faults if fault.file == load.file.name})


def _over_limit(contract: Contract, pending: Pending) -> list[Fault]:
    delivered = sum(load.delivered for load in pending.files)
    refused = sum(load.refused for load in pending.files)
    if not refused or refused <= contract.refused_share_limit * delivered:
        return []
    first = pending.faults[0] if pending.faults else None
    return [
        Fault(
            "few rows are wrong",
            f"{refused:,} of {delivered:,} rows break the contract "
            f"({refused / delivered:.1%}; at most {contract.refused_share_limit:.1%} may). "
            f"The first: {first}"
            if first
            else "",
            file=first.file if first else None,
            line=first.line if first else None,
            column=first.column if first else None,
        )
    ]


def _periods_twice(
    connection: duckdb.DuckDBPyConnection, contract: Contract, pending: Pending
) -> list[Fault]:
    if not contract.one_file_a_period:
        return []
    names = {load.file_id: load.file.name for load in pending.files}
    rows = connection.execute(
        f"select {contract.series_sql}, {contract.period}, "
        "list(distinct _file_id order by _file_id) "
        f"from {contract.raw_table} where _delivery_id = ? group by all "
        "having count(distinct _file_id) > 1 order by all",
        [pending.delivery_id],
    ).fetchall()
    return [
        Fault(
            "a month comes once",
            f"{series} {period:%Y-%m} is in {len(files)} files of this "
            f"delivery: {', '.join(names[file] for file in files)}. Leave one of them.",
            file=names[files[-1]],
            line=2,
            column=contract.period,
        )
        for series, period, files in rows
    ]
