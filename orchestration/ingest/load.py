"""The load: new deliveries of one source into its raw table, refused rows into quarantine.

Each delivery ends loaded or refused, with its files and counts in ``control``; rows delivered are
always rows loaded plus rows refused. A group of deliveries is one transaction, so a killed load
leaves nothing behind.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import duckdb

from orchestration.ingest.bulk import (
    BulkFile,
    insert_files,
    refused_lines,
    rows_by_file,
)
from orchestration.ingest.contract import Contract
from orchestration.ingest.faults import Fault, SubmissionError
from orchestration.ingest.landing import (
    Delivery,
    LandedFile,
    fits_pattern,
    known_checksums,
    quarters_landed,
    read_delivery,
    received_at,
)
from orchestration.ingest.rawtables import ensure_control, ensure_raw_table
from orchestration.ingest.reading import Row, reader_of, rows_table
from orchestration.ingest.rules import acceptable, broken_rules, typed
from orchestration.ingest.scan import (
    ScannedFile,
    blank_lines,
    first_odd_quote,
    no_rows,
    scan_csv,
)

_KEPT_FAULTS = 10_000
"""Most refused rows of one delivery that quarantine describes one by one."""


@dataclass
class Outcome:
    """How one delivery fared."""

    source: str
    quarter: date
    version: int
    state: Literal["loaded", "refused"]
    rows_delivered: int = 0
    rows_loaded: int = 0
    rows_refused: int = 0
    reason: str | None = None
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)


@dataclass
class LoadReport:
    """What one load of a source did: new outcomes, and how many deliveries had not changed."""

    source: str
    outcomes: list[Outcome] = field(default_factory=list)
    unchanged: int = 0
    still_refused: list[Outcome] = field(default_factory=list)

    @property
    def refused(self) -> list[Outcome]:
        """Deliveries that are refused now, whether in this load or in an earlier one."""
        return [one for one in self.outcomes if one.state == "refused"] + self.still_refused

    def total(self, count: Literal["rows_delivered", "rows_loaded", "rows_refused"]) -> int:
        """Return the sum of a count over the new outcomes."""
        return sum(getattr(outcome, count) for outcome in self.outcomes)


@dataclass
class _FileLoad:
    file: LandedFile
    file_id: int
    scanned: ScannedFile | None = None
    rows: list[Row] = field(default_factory=list)
    delivered: int = 0
    loaded: int = 0
    refused: int = 0


@dataclass
class _Pending:
    """A delivery on its way in."""

    delivery: Delivery
    delivery_id: int
    version: int
    files: list[_FileLoad]
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)


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
    pending = _pending(connection, raw, contract, as_at, report)
    readable = []
    for one in pending:
        try:
            _look_over(connection, contract, one)
            readable.append(one)
        except SubmissionError as error:
            report.outcomes.append(_refuse(connection, contract, one, error.faults, now))
    for group in _groups(readable):
        report.outcomes.extend(_load_group(connection, contract, group, now))
    report.outcomes.sort(key=lambda outcome: outcome.quarter)
    return report


# --- what is new -----------------------------------------------------------------------------


def _pending(
    connection: duckdb.DuckDBPyConnection,
    raw: Path,
    contract: Contract,
    as_at: date,
    report: LoadReport,
) -> list[_Pending]:
    next_delivery = _next_id(connection, "deliveries", "delivery_id")
    next_file = _next_id(connection, "files", "file_id")
    pending: list[_Pending] = []
    for quarter in (one for one in quarters_landed(raw, contract) if one <= as_at):
        delivery = read_delivery(raw, contract, quarter, _index(connection, contract, quarter))
        latest = _latest(connection, contract.source, quarter)
        if delivery is None:
            continue
        if latest and latest.content_sha256 == delivery.content_sha256:
            report.unchanged += 1
            if latest.outcome.state == "refused":
                report.still_refused.append(latest.outcome)
            continue
        version = latest.outcome.version + 1 if latest else 1
        files = [_FileLoad(file, next_file + place) for place, file in enumerate(delivery.files)]
        pending.append(_Pending(delivery, next_delivery, version, files))
        next_delivery += 1
        next_file += len(files)
    return pending


def _next_id(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> int:
    row = connection.execute(f"select coalesce(max({column}), 0) + 1 from control.{table}")
    (number,) = row.fetchall()[0]
    return int(number)


def _index(
    connection: duckdb.DuckDBPyConnection, contract: Contract, quarter: date
) -> dict[tuple[str, int, int], str]:
    rows = connection.execute(
        "select file_name, bytes, mtime_ns, sha256 from control.landing_index "
        "where source = ? and quarter = ?",
        [contract.source, quarter],
    ).fetchall()
    return dict(known_checksums(rows))


@dataclass(frozen=True)
class _Known:
    content_sha256: str
    outcome: Outcome


def _latest(connection: duckdb.DuckDBPyConnection, source: str, quarter: date) -> _Known | None:
    rows = connection.execute(
        "select content_sha256, version, state, rows_delivered, rows_loaded, rows_refused, reason "
        "from control.deliveries where source = ? and quarter = ? order by version desc limit 1",
        [source, quarter],
    ).fetchall()
    if not rows:
        return None
    digest, version, state, delivered, loaded, refused, reason = rows[0]
    outcome = Outcome(source, quarter, version, state, delivered, loaded, refused, reason)
    return _Known(digest, outcome)


# --- submission rules ------------------------------------------------------------------------


def _look_over(
    connection: duckdb.DuckDBPyConnection, contract: Contract, pending: _Pending
) -> None:
    """Apply the submission rules, and read what the source's own reader reads.

    Raises :class:`SubmissionError` with every fault found.
    """
    _refuse_other_quarters_content(connection, contract, pending)
    faults = _receipt_faults(pending.delivery)
    read = reader_of(contract) if contract.layout == "reader" else None
    for load in pending.files:
        try:
            _check_kind(contract, load.file)
            if read:
                load.rows = read(load.file)
                load.delivered = len(load.rows)
            else:
                load.scanned = scan_csv(load.file, contract)
                load.delivered = load.scanned.rows
                pending.warnings += _unknown_columns(load.scanned)
        except SubmissionError as error:
            faults.extend(error.faults)
    if faults:
        raise SubmissionError(faults)


def _refuse_other_quarters_content(
    connection: duckdb.DuckDBPyConnection, contract: Contract, pending: _Pending
) -> None:
    rows = connection.execute(
        "select quarter from control.deliveries "
        "where source = ? and quarter <> ? and content_sha256 = ? and state = 'loaded'",
        [contract.source, pending.delivery.quarter, pending.delivery.content_sha256],
    ).fetchall()
    if rows:
        raise SubmissionError(
            Fault(
                "is new",
                f"The same files were delivered for {rows[0][0].isoformat()}. Send the "
                "files of this quarter, or remove the folder if there is nothing new.",
                file=pending.delivery.files[0].name,
            )
        )


def _receipt_faults(delivery: Delivery) -> list[Fault]:
    """Say which files are not those that the receipt lists; no receipt, nothing to say."""
    if delivery.receipt is None:
        return []
    listed = {file.name: file.sha256 for file in delivery.receipt.files}
    landed = {file.name: file.sha256 for file in delivery.files}
    return [
        Fault(
            "matches its receipt",
            "The file is not the one that was receipted: it was changed, "
            "added or removed since. Land the delivery again with `csp land`.",
            file=name,
        )
        for name in sorted(listed.keys() | landed.keys())
        if listed.get(name) != landed.get(name)
    ]


def _check_kind(contract: Contract, file: LandedFile) -> None:
    if not fits_pattern(contract, file.name):
        kinds = ", ".join(contract.file_pattern)
        raise SubmissionError(
            Fault(
                "is of the agreed kind",
                f"{contract.source} reads {kinds}. Take this file out "
                "of the delivery, or send it in the agreed kind.",
                file=file.name,
            )
        )


def _unknown_columns(scanned: ScannedFile) -> list[Fault]:
    return [
        Fault(
            "has no unknown column",
            "The column is not in the contract; it is not loaded. "
            "Tell the data engineer if it is meant.",
            file=scanned.file.name,
            line=1,
            column=name,
        )
        for name in scanned.unknown_columns
    ]


# --- loading ---------------------------------------------------------------------------------


def _groups(pending: Iterable[_Pending]) -> list[list[_Pending]]:
    """Group deliveries that one statement can load: all files of all of them share one header."""
    groups: dict[tuple[object, ...], list[_Pending]] = defaultdict(list)
    for one in pending:
        headers = {load.scanned.header for load in one.files if load.scanned}
        alike = len(headers) == 1 and all(load.scanned for load in one.files)
        groups[(headers.pop(),) if alike else (one.delivery_id,)].append(one)
    return list(groups.values())


def _load_group(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    group: list[_Pending],
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
        if isinstance(error, duckdb.OutOfMemoryException | duckdb.IOException):
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


def _insert(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    group: Sequence[_Pending],
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


def _bulk_files(pending: _Pending) -> list[BulkFile]:
    return [
        BulkFile(load.scanned, load.file_id, pending.delivery_id)
        for load in pending.files
        if load.scanned
    ]


def _insert_rows(
    connection: duckdb.DuckDBPyConnection, contract: Contract, pending: _Pending
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
    connection: duckdb.DuckDBPyConnection, contract: Contract, pending: _Pending
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
    connection: duckdb.DuckDBPyConnection, contract: Contract, pending: _Pending, now: datetime
) -> Outcome:
    """Judge a delivery whose acceptable rows are in, and record it (inside the transaction)."""
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
        return _record(connection, contract, pending, "refused", stopping, now)
    return _record(connection, contract, pending, "loaded", [], now)


def _find_refused_lines(
    connection: duckdb.DuckDBPyConnection, contract: Contract, pending: _Pending
) -> None:
    for file, load in zip(_bulk_files(pending), pending.files, strict=True):
        if load.loaded != load.delivered:
            load.delivered -= blank_lines(load.file)
        if load.loaded != load.delivered:
            pending.faults += refused_lines(connection, contract, file)


def _unbalanced(contract: Contract, pending: _Pending) -> list[Fault]:
    """Rows delivered must be rows loaded plus rows refused, counted by different means."""
    faults = [no_rows(load.file) for load in pending.files if load.delivered == 0]
    for load in pending.files:
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


def _faulty_line_count(pending: _Pending, load: _FileLoad) -> int:
    places = {
        (fault.sheet, fault.line, fault.column if fault.sheet else None)
        for fault in pending.faults
        if fault.file == load.file.name
    }
    return len(places)


def _over_limit(contract: Contract, pending: _Pending) -> list[Fault]:
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
    connection: duckdb.DuckDBPyConnection, contract: Contract, pending: _Pending
) -> list[Fault]:
    if not contract.one_file_a_period:
        return []
    names = {load.file_id: load.file.name for load in pending.files}
    rows = connection.execute(
        f"select {_series(contract)}, {contract.period}, list(distinct _file_id order by _file_id) "
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


def _series(contract: Contract) -> str:
    return contract.series or "''"


def _refuse(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    pending: _Pending,
    faults: Sequence[Fault],
    now: datetime,
) -> Outcome:
    for load in pending.files:
        load.loaded, load.refused = 0, load.delivered
    with _transaction(connection):
        return _record(connection, contract, pending, "refused", list(faults), now)


def _record(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    pending: _Pending,
    state: Literal["loaded", "refused"],
    stopping: list[Fault],
    now: datetime,
) -> Outcome:
    if state == "refused":
        for load in pending.files:
            load.loaded, load.refused = 0, load.delivered
    delivery = pending.delivery
    outcome = Outcome(
        contract.source,
        delivery.quarter,
        pending.version,
        state,
        sum(load.delivered for load in pending.files),
        sum(load.loaded for load in pending.files),
        sum(load.refused for load in pending.files),
        " ".join(str(fault) for fault in stopping) or None,
        stopping + pending.faults,
        pending.warnings,
    )
    note = delivery.receipt.note if delivery.receipt else None
    connection.execute(
        "insert into control.deliveries values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            pending.delivery_id,
            contract.source,
            delivery.quarter,
            pending.version,
            state,
            delivery.nature,
            note,
            delivery.content_sha256,
            received_at(delivery),
            now,
            outcome.rows_delivered,
            outcome.rows_loaded,
            outcome.rows_refused,
            outcome.reason,
        ],
    )
    _record_files(connection, contract, pending)
    _record_faults(connection, pending, stopping)
    if state == "loaded":
        connection.execute(
            f"insert into control.coverage select ?, {_series(contract)}, {contract.period}, "
            f"_delivery_id, count(*) from {contract.raw_table} where _delivery_id = ? group by all",
            [contract.source, pending.delivery_id],
        )
    return outcome


def _record_files(
    connection: duckdb.DuckDBPyConnection, contract: Contract, pending: _Pending
) -> None:
    header_lines = 1 if contract.layout == "csv" else 0
    connection.execute(
        "delete from control.landing_index where source = ? and quarter = ?",
        [contract.source, pending.delivery.quarter],
    )
    for load in pending.files:
        file = load.file
        connection.execute(
            "insert into control.files values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                load.file_id,
                pending.delivery_id,
                file.name,
                file.bytes,
                file.sha256,
                header_lines,
                load.delivered,
                load.loaded,
                load.refused,
            ],
        )
        connection.execute(
            "insert into control.landing_index values (?, ?, ?, ?, ?, ?)",
            [
                contract.source,
                pending.delivery.quarter,
                file.name,
                file.bytes,
                file.mtime_ns,
                file.sha256,
            ],
        )


def _record_faults(
    connection: duckdb.DuckDBPyConnection, pending: _Pending, stopping: Sequence[Fault]
) -> None:
    ids = {load.file.name: load.file_id for load in pending.files}
    rows = [
        [
            pending.delivery_id,
            ids.get(fault.file or "", 0),
            fault.line,
            fault.sheet,
            fault.column,
            fault.value,
            fault.rule,
            fault.message,
        ]
        for fault in [*pending.faults[:_KEPT_FAULTS], *stopping]
    ]
    if rows:
        connection.executemany(
            "insert into quarantine.refused_rows values (?, ?, ?, ?, ?, ?, ?, ?)", rows
        )
