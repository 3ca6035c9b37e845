"""The load: new deliveries of one source into its raw table, refused rows into quarantine.

Each delivery ends loaded or refused, with its files and counts in ``control``; rows delivered are
always rows loaded plus rows refused. A group of deliveries is one transaction, so a killed load
leaves nothing behind.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb

from orchestration.ingest.checking.configured_values import with_configured_values
from orchestration.ingest.checking.configured_words import vocabulary_of
from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.checking.coverage import (
    Claims,
    Count,
    Covered,
    Stray,
    claims_of,
    nothing_happened,
    plain_name,
)
from orchestration.ingest.checking.faults import Fault, given
from orchestration.ingest.checking.named_periods import Span
from orchestration.ingest.checking.rules import (
    acceptable,
    broken_rules,
    elsewhere,
    elsewhere_columns,
    found,
    typed,
    warning_rules,
)
from orchestration.ingest.checking.served_names import configured_names
from orchestration.ingest.checking.shown_texts import ShownTexts
from orchestration.ingest.checking.supplier_report import file_report
from orchestration.ingest.landing.delivery_discovery import (
    FileLoad,
    Pending,
    look_over,
    pending_deliveries,
)
from orchestration.ingest.landing.landing_zone import NO_QUARTER, Delivery, LandedFile, refuse_moved
from orchestration.ingest.loading.bulk_csv import BulkFile, insert_files, refused_lines
from orchestration.ingest.loading.control_writer import record, shown_faults
from orchestration.ingest.loading.incoming_rows import rows_to_load
from orchestration.ingest.loading.outcomes import LoadReport, Outcome
from orchestration.ingest.loading.pseudonyms import Pseudonyms, throwaway_pseudonyms
from orchestration.ingest.loading.raw_tables import ensure_raw_table
from orchestration.ingest.loading.stray_rows import remove_strays, stray_rule
from orchestration.ingest.loading.unknown_forces import unknown_forces
from orchestration.ingest.reading.csv_integrity import (
    blank_lines,
    first_odd_quote,
    line_that_ends_otherwise,
    no_rows,
)
from orchestration.ingest.reading.delivery_archives import opened
from orchestration.warehouse.connection import is_damage, is_refused_by_disk
from orchestration.warehouse.control_schema import ensure_control
from orchestration.warehouse.sql_quoting import literal
from orchestration.warehouse.transaction import transaction

_REPEATED = "row is not repeated"
_IDENTIFIER_RULE = "holds no identifier"
_UNIQUE_RULE = "value is unique"

_FEWEST_OF_ONE = 10
"""Rows that a delivery has for each that may be wrong, whatever its share."""

_DESCRIBED_LINES = 10_000
"""Most refused lines of a file that are described one by one, where it is refused as a whole."""


def load_source(
    connection: duckdb.DuckDBPyConnection,
    raw: Path,
    contract: Contract,
    as_at: date,
    now: datetime,
    pseudonyms: Pseudonyms,
    reports: Path | None = None,
) -> LoadReport:
    """Load what the landing zone holds of one source for ``as_at`` and earlier quarters.

    Deliveries whose content has not changed are passed over. A delivery that breaks a submission
    rule, or too many record rules, is refused whole, and its previous version stays in force.
    ``pseudonyms``, which :func:`pseudonyms_for` gives, replace the identifiers of people.
    ``reports`` is the folder of the suppliers' error reports; a delivery's is written before the
    delivery is recorded, so that none can be missing.
    """
    with transaction(connection):
        ensure_control(connection)
        contract = with_configured_values(connection, contract)
        ensure_raw_table(connection, contract)
    report = LoadReport(contract.source)
    pending = pending_deliveries(connection, raw, contract, as_at, report)
    texts = ShownTexts(contract, vocabulary_of(connection), as_at)
    report.passed_over = texts.faults(report.passed_over)
    load = _Load(connection, contract, now, pseudonyms, reports)
    report.outcomes = load_deliveries(load, pending)
    return report


@dataclass(frozen=True)
class _Load:
    """The parameters of a load: connection, contract, time, and a callback for messages."""

    connection: duckdb.DuckDBPyConnection
    contract: Contract
    now: datetime
    pseudonyms: Pseudonyms
    reports: Path | None

    def tell(self, outcomes: Iterable[Outcome]) -> None:
        """Write the suppliers' error reports."""
        if self.reports:
            for outcome in outcomes:
                file_report(self.reports, self.contract, outcome)


def check_delivery(
    connection: duckdb.DuckDBPyConnection, contract: Contract, delivery: Delivery, now: datetime
) -> Outcome:
    """Load a delivery into an empty temporary database, and return the outcome."""
    with transaction(connection):
        ensure_control(connection)
        contract = with_configured_values(connection, contract)
        ensure_raw_table(connection, contract)
    files = [FileLoad(file, number) for number, file in enumerate(delivery.files, start=1)]
    pending = Pending(delivery, 1, 1, files)
    load = _Load(connection, contract, now, throwaway_pseudonyms(), None)
    (outcome,) = load_deliveries(load, [pending])
    return outcome


def check_files(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    files: Sequence[LandedFile],
    now: datetime,
) -> list[Outcome]:
    """Load each file by itself into an empty temporary database; return the outcomes.

    The delivery number of a file's rows is the file's place among ``files``, from 1.
    """
    with transaction(connection):
        ensure_control(connection)
        contract = with_configured_values(connection, contract)
        ensure_raw_table(connection, contract)
    pending = [
        Pending(
            Delivery(contract.source, now.date(), file.path.parent, (file,), None),
            number,
            number,
            [FileLoad(file, number)],
        )
        for number, file in enumerate(files, start=1)
    ]
    load = _Load(connection, contract, now, throwaway_pseudonyms(), None)
    return sorted(load_deliveries(load, pending), key=lambda outcome: outcome.version)


def load_deliveries(load: _Load, pending: Sequence[Pending]) -> list[Outcome]:
    """Check and load deliveries; return the outcomes by quarter."""
    with opened(load.connection, load.contract, pending) as folder:
        looked = look_over(load.connection, load.contract, pending, folder)
        outcomes = [_refuse(load, one, faults) for one, faults in looked if faults]
        readable = [one for one, faults in looked if not faults]
        for group in _groups(readable):
            outcomes.extend(_load_group(load, group))
    return sorted(outcomes, key=lambda outcome: outcome.quarter)


def _refuse(load: _Load, pending: Pending, faults: Sequence[Fault]) -> Outcome:
    refuse_moved(pending.delivery.files)
    with transaction(load.connection):
        outcomes = record(load.connection, load.contract, [(pending, faults)], load.now)
        load.tell(outcomes)
        return outcomes[0]


# --- loading ---------------------------------------------------------------------------------


def _groups(pending: Iterable[Pending]) -> list[list[Pending]]:
    """Group deliveries that one statement can load: all files of all of them share one header."""
    groups: dict[tuple[object, ...], list[Pending]] = defaultdict(list)
    for one in pending:
        headers = {load.scanned.header for load in one.files if load.scanned}
        alike = len(headers) == 1 and all(load.scanned for load in one.files)
        groups[(headers.pop(),) if alike else (one.delivery_id,)].append(one)
    return list(groups.values())


def _load_group(load: _Load, group: list[Pending], *, tolerant: bool = False) -> list[Outcome]:
    """Load a group in one transaction; where a line breaks it, each delivery alone, patiently."""
    try:
        with transaction(load.connection):
            _insert(load, group, tolerant=tolerant)
            outcomes = _settle(load, group)
            load.tell(outcomes)
            return outcomes
    except duckdb.Error as error:
        if _is_ours(error):
            raise
        if len(group) > 1:
            alone = [_load_group(load, [one]) for one in group]
            return [outcome for outcomes in alone for outcome in outcomes]
        if not tolerant and load.contract.layout == "csv":
            return _load_group(load, group, tolerant=True)
        return [_refuse(load, group[0], [_unreadable(load.contract, group[0], error)])]


def _unreadable(contract: Contract, pending: Pending, error: duckdb.Error) -> Fault:
    """Return the fault of a delivery that cannot be read, by its line if line ends are mixed.

    A faulty line that ends otherwise than the others stops DuckDB without a word on where.
    """
    for scanned in pending.files if contract.layout == "csv" else ():
        if line := line_that_ends_otherwise(scanned.file.path):
            return Fault(
                "can be read",
                "The file cannot be read as a table. This line ends with another line break than "
                "the first (CR LF and LF are mixed), and may be cut short.",
                file=scanned.file.name,
                line=line,
            )
    return Fault(
        "can be read",
        f"DuckDB cannot read the delivery as a table ({given(str(error).splitlines()[0])}).",
        file=pending.files[0].file.name,
    )


def _is_ours(error: duckdb.Error) -> bool:
    """Say whether the machine is at fault (memory, disk, a damaged file), not the delivery."""
    kinds = (
        duckdb.OutOfMemoryException,
        duckdb.IOException,
        duckdb.TransactionException,
        duckdb.FatalException,
    )
    return isinstance(error, kinds) or is_refused_by_disk(str(error)) or is_damage(str(error))


def _insert(load: _Load, group: Sequence[Pending], *, tolerant: bool) -> None:
    connection, contract = load.connection, load.contract
    for one in group:  # what was found when the group was read as a whole
        one.mild = []
    if contract.layout != "csv":
        for one in group:
            _insert_rows(load, one)
        return
    by_header: dict[tuple[str, ...], list[BulkFile]] = defaultdict(list)
    for one in group:
        for bulk in _bulk_files(one):
            by_header[bulk.scanned.header].append(bulk)
    for files in by_header.values():
        insert_files(connection, contract, files, tolerant=tolerant)


def _bulk_files(pending: Pending) -> list[BulkFile]:
    return [
        BulkFile(load.scanned, load.file_id, pending.delivery_id)
        for load in pending.files
        if load.scanned
    ]


def _insert_rows(load: _Load, pending: Pending) -> None:
    """Load the rows that were read one by one."""
    connection, contract = load.connection, load.contract
    values = ", ".join(typed(column, contract) for column in contract.stored_columns)
    for place, file in enumerate(pending.files):
        assert file.rows is not None
        rows = rows_to_load(file.rows, contract, file.file_id, load.pseudonyms)
        connection.register("_rows", rows)
        verb = (
            "create or replace temp table _incoming as" if place == 0 else "insert into _incoming"
        )
        connection.execute(f"{verb} select * from _rows")
        connection.unregister("_rows")
    connection.execute(
        "create or replace temp table _checked as "
        f"select *, {_repeat(contract, contract.key)} as _repeat_of_key, "
        f"greatest({_repeat(contract, contract.key)}, {_repeat(contract, contract.also_unique)}) "
        "as _repeat, "
        f"{_is_same(contract)} as _same "
        "from (select *, _fault is null and _reveals is null "
        f"and ({acceptable(contract)}) is true as _good "
        f"from (select *{elsewhere_columns(contract)} from _incoming))"
    )
    connection.execute(
        f"insert into {contract.raw_table} select {values}, {pending.delivery_id}, _file_id, "
        "_sheet, _line, _column from _checked where _good and _repeat = 1 "
        "order by _file_id, _line"
    )
    refused = connection.execute(
        "select _file_id, count(*), count_if(_good and _same) from _checked "
        "where not _good or _repeat > 1 group by _file_id"
    ).fetchall()
    counts = {file_id: (rows, repeated) for file_id, rows, repeated in refused}
    for file in pending.files:
        file.refused, file.repeated = counts.get(file.file_id, (0, 0))
    if refused:
        pending.faults = _faulty_rows(connection, contract, pending)
    pending.warnings += _elsewhere(connection, contract, pending)
    _find_mild_faults(load, [pending], "_checked where _good and _repeat = 1")
    connection.execute("drop table _incoming; drop table _checked")


def _elsewhere(
    connection: duckdb.DuckDBPyConnection, contract: Contract, pending: Pending
) -> list[Fault]:
    """Warn of rows that are of another place than those of the partnerships file."""
    names = {load.file_id: load.file.name for load in pending.files}
    found = []
    for column in contract.columns:
        if not column.listed or column.allowed is None:
            continue
        rows = connection.execute(
            "select _file_id, count(*), min(_sheet), min(_line) from _checked "
            f"where _good and _repeat = 1 and {elsewhere(column)} group by _file_id order by all"
        ).fetchall()
        found += [
            Fault(
                "is a known value",
                f"None of {count:,} rows has a {column.listed} that the partnerships file lists. "
                "They are loaded and counted nowhere.",
                file=names[file_id],
                sheet=sheet,
                line=line,
                column=column.title,
                severity="warning",
            )
            for file_id, count, sheet, line in rows
        ]
    return found


def _repeat(contract: Contract, unique: Sequence[str]) -> str:
    """Return the SQL expression that counts how often a good row's values have come so far."""
    names = {column.name: column for column in contract.columns}
    key = ", ".join(f"({typed(names[name], contract)})" for name in unique)
    if not key:
        return "1"
    return f"row_number() over (partition by _good, {key} order by _file_id, _line)"


def _is_same(contract: Contract) -> str:
    """Return the SQL expression that says whether a row repeats the first of its key throughout.

    A table of figures is to be right as it comes, so only in a list of people is there one.
    """
    names = {column.name: column for column in contract.columns}
    key = ", ".join(f"({typed(names[name], contract)})" for name in contract.key)
    if not key or not contract.refused_share_limit or contract.counts != "people":
        return "false"
    values = f"row({', '.join(column.name for column in contract.columns)})"
    window = f"over (partition by _good, {key} order by _file_id, _line)"
    return f"first_value({values}) {window} = {values} and row_number() {window} > 1"


def _faulty_rows(
    connection: duckdb.DuckDBPyConnection, contract: Contract, pending: Pending
) -> list[Fault]:
    names = {load.file_id: load.file.name for load in pending.files}
    delivered = sum(load.delivered for load in pending.files)
    # Rows that repeat another are never too many.
    most = _most_described(contract, delivered) + sum(load.repeated for load in pending.files)
    said_as_key = _said(contract, contract.key)
    revealed = (
        "case when _reveals is not null then [struct_pack(column_name := _reveals, "
        f"value := null::varchar, rule := {literal(_IDENTIFIER_RULE)}, message := "
        "'The text holds what looks like an identifier, a number or a date of a person.')] "
        "else [] end"
    )
    other = "struct_pack(column_name := null::varchar, value := null::varchar, rule := {}, "
    faults = (
        "case "
        f"when _fault is not null then [{other.format(literal('is a row of the table'))}"
        "message := _fault)] "
        f"when _good and _same then [{other.format(literal(_REPEATED))}message := "
        f"{literal('The row is the same as an earlier one in every value. It counts once.')})] "
        f"when _good and _repeat_of_key > 1 then [{other.format(literal('key is unique'))}"
        f"message := {literal(f'The same {said_as_key} are in an earlier row, which counts.')})] "
        f"{_repeats_a_value(contract)}"
        f"else list_concat({revealed}, {broken_rules(contract)}) end"
    )
    rows = connection.execute(
        "select _file_id, _sheet, _line, _column, fault.column_name, fault.value, fault.rule, "
        f"fault.message from (select _file_id, _sheet, _line, _column, unnest({faults}) as fault "
        "from (select * from _checked where not _good or _repeat > 1 "
        f"order by _file_id, _line limit {most})) "
        "order by _file_id, _sheet, _line, _column"
    ).fetchall()
    known = contract.by_header
    return [
        Fault(
            rule,
            message,
            file=names[file_id],
            sheet=sheet,
            line=line,
            # A figure's own heading says more than the name that we gave the column.
            column=column if column in known else (heading or column),
            value=value,
            severity="record",
        )
        for file_id, sheet, line, heading, column, value, rule, message in rows
    ]


def _said(contract: Contract, names: Sequence[str]) -> str:
    titles = {column.name: column.title for column in contract.columns}
    return " and ".join(titles[name] for name in names)


def _repeats_a_value(contract: Contract) -> str:
    """Return the SQL branch for a row that has the unique values of an earlier row."""
    if not contract.also_unique:
        return ""
    column = next(one for one in contract.columns if one.name == contract.also_unique[-1])
    message = (
        f"An earlier row, which counts, has the same {_said(contract, contract.also_unique)}, "
        "which no two rows may share."
    )
    return (
        f"when _good then [struct_pack(column_name := {literal(column.title)}, "
        f"value := {found(column)}::varchar, rule := {literal(_UNIQUE_RULE)}, "
        f"message := {literal(message)})] "
    )


def _most_described(contract: Contract, delivered: int) -> int:
    """Return how many refused rows are described, one by one.

    A delivery that stays has all its refused rows listed, a refused one the first.
    """
    share = int(contract.refused_share_limit * delivered)
    return max(_DESCRIBED_LINES, share, contract.refused_rows_allowed)


def _find_mild_faults(load: _Load, group: Sequence[Pending], loaded: str) -> None:
    """Warn of each wrong value of a rule that only warns, with how often it comes.

    ``loaded`` is the table that has the values as delivered, with the condition of a loaded row.
    """
    holders = {file.file_id: (one, file.file.name) for one in group for file in one.files}
    # A source that is read in bulk keeps no line numbers.
    place = "null, null" if load.contract.layout == "csv" else _FIRST_PLACES
    for rule in warning_rules(load.contract):
        rows = load.connection.execute(
            f"select _file_id, count(*), min({found(rule.column)}), {place} "
            f"from {loaded} and not ({rule.condition}) group by _file_id order by _file_id"
        ).fetchall()
        for file_id, count, value, sheet, lines in rows:
            holder, name = holders[file_id]
            fault = Fault(
                rule.name,
                f"{rule.message} {_how_many(count, lines)}",
                file=name,
                sheet=sheet,
                line=lines[0] if lines else None,
                column=rule.column.title,
                value=value,
                severity="warning",
            )
            holder.mild.append(fault)


_NAMED_LINES = 10
"""Most lines that a warning names."""

_FIRST_PLACES = f"min(_sheet), list(_line order by _line)[:{_NAMED_LINES}]"


def _how_many(count: int, lines: Sequence[int] | None) -> str:
    """Say how many rows a warning is about, and on which lines the first of them are."""
    said = "1 row holds" if count == 1 else f"{count:,} rows hold"
    loaded = "it is" if count == 1 else "they are"
    if not lines or count == 1:
        return f"{said} such a value; {loaded} loaded."
    named = ", ".join(f"{line:,}" for line in lines)
    more = ", and more" if count > len(lines) else ""
    return f"{said} such a value (lines {named}{more}); {loaded} loaded."


# --- settling --------------------------------------------------------------------------------


def _settle(load: _Load, group: Sequence[Pending]) -> list[Outcome]:
    """Judge deliveries whose acceptable rows are in, and record them (inside the transaction)."""
    connection, contract = load.connection, load.contract
    refuse_moved(file for one in group for file in one.delivery.files)
    twice = _find_coverage(connection, contract, group)
    if contract.layout == "csv":
        _find_mild_faults(load, group, f"{contract.raw_table} where {_among(group)}")
    unknown = unknown_forces(connection, contract, group)
    vocabulary = vocabulary_of(connection)
    judged = []
    for one in group:
        one.mild += unknown.get(one.delivery_id, [])
        # Before a message quotes the first of them.
        shown_faults(contract, vocabulary, one, [])
        stopping = [*_unbalanced(one), *_over_limit(contract, one), *twice.get(one.delivery_id, [])]
        judged.append((one, stopping))
    if refused := [one for one, stopping in judged if stopping]:
        connection.execute(f"delete from {contract.raw_table} where {_among(refused)}")
    for one, stopping in judged:
        if not stopping:
            one.warnings += one.mild
    return record(connection, contract, judged, load.now)


def _find_coverage(
    connection: duckdb.DuckDBPyConnection, contract: Contract, group: Sequence[Pending]
) -> dict[int, list[Fault]]:
    """Note what each delivery covers, and refuse the rows that are of no period of their file.

    Returns the faults of deliveries of which two files cover the same, by delivery.
    """
    counts: dict[int, list[Count]] = defaultdict(list)
    for delivery_id, *count in connection.execute(
        f"select _delivery_id, _file_id, {contract.series_sql}, {contract.name_sql}, "
        f"{contract.period}, count(*) from {contract.raw_table} where {_among(group)} "
        "group by all order by all"
    ).fetchall():
        counts[delivery_id].append(Count(*count))
    twice: dict[int, list[Fault]] = {}
    for one in group:
        files = {file.file_id: file.file.name for file in one.files}
        said = one.delivery.receipt.covers if one.delivery.receipt else None
        covers = Span(said.first, said.last) if said else None
        own = counts[one.delivery_id]
        for file in one.files:
            file.loaded = sum(count.rows for count in own if count.file_id == file.file_id)
        known = one.delivery.quarter if one.delivery.quarter != NO_QUARTER else None
        claims = claims_of(contract, known, covers, files, own)
        one.covered = claims.covered + _empty_files(connection, contract, one, covers, claims)
        one.mild += claims.warnings
        if claims.refused:
            remove_strays(connection, contract, one, claims.refused)
        if contract.layout == "csv":
            _find_refused_lines(connection, contract, one, claims.refused)
        twice[one.delivery_id] = _periods_twice(contract, files, claims)
    return twice


def _empty_files(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    pending: Pending,
    covers: Span | None,
    claims: Claims,
) -> list[Covered]:
    """Return what files without a row cover: the series and periods that their names say."""
    empty = [file for file in pending.files if file.delivered == 0]
    if not empty or contract.coverage.every is None:
        return []
    rows = connection.execute(
        "select distinct series, name from control.coverage where source = ?", [contract.source]
    ).fetchall()
    known = dict(rows) | {name: name for name in configured_names(connection, contract)}
    there = {(plain_name(one.series), one.period) for one in claims.covered}
    found = []
    for file in empty:
        told = nothing_happened(contract, pending.delivery.quarter, covers, file.file.name, known)
        file.reports_nothing = bool(told)
        found += [one for one in told if (plain_name(one.series), one.period) not in there]
        there |= {(plain_name(one.series), one.period) for one in told}
    return found


def _among(group: Iterable[Pending]) -> str:
    """Return the condition that a raw row is of one of these deliveries."""
    return f"_delivery_id in ({', '.join(str(one.delivery_id) for one in group)})"


def _find_refused_lines(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    pending: Pending,
    strays: Sequence[Stray],
) -> None:
    for file, load in zip(_bulk_files(pending), pending.files, strict=True):
        if load.loaded != load.delivered:
            load.delivered -= blank_lines(load.file)
        if load.loaded != load.delivered:
            most = _most_described(contract, load.delivered)
            faults, load.refused = refused_lines(
                connection, contract, file, most, stray_rule(contract, file.file_id, strays)
            )
            pending.faults += faults


def _unbalanced(pending: Pending) -> list[Fault]:
    """Rows delivered must be rows loaded plus rows refused, counted by different means."""
    faults = [
        no_rows(load.file)
        for load in pending.files
        if load.delivered == 0 and not load.reports_nothing
    ]
    for load in pending.files:
        if load.loaded + load.refused == load.delivered:
            continue
        missing = load.delivered - load.loaded - load.refused
        load.refused += missing
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


def _over_limit(contract: Contract, pending: Pending) -> list[Fault]:
    delivered = sum(load.delivered for load in pending.files)
    refused = sum(load.refused - load.repeated for load in pending.files)
    floor = min(contract.refused_rows_allowed, delivered // _FEWEST_OF_ONE)
    if not pending.faults or refused <= max(contract.refused_share_limit * delivered, floor):
        return []
    first = pending.faults[0]
    at_least = f", and always {floor}" if floor else ""
    return [
        Fault(
            "few rows are wrong",
            f"{refused:,} of {delivered:,} rows break the contract "
            f"({refused / delivered:.1%}; at most {contract.refused_share_limit:.1%} may"
            f"{at_least}). The first: {first}",
            file=first.file,
            sheet=first.sheet,
            line=first.line,
            column=first.column,
            is_shown=True,
        )
    ]


def _periods_twice(contract: Contract, names: Mapping[int, str], claims: Claims) -> list[Fault]:
    """Return a fault for each period of a series that several files of a delivery cover."""
    if not contract.one_file_a_period:
        return []
    spelled = {plain_name(one.series): one.series for one in claims.covered}
    return [
        Fault(
            "a month comes once",
            f"{given(spelled[series])} {given(f'{period:%Y-%m}')} is in {len(files)} files of this "
            f"delivery: {', '.join(given(names[file]) for file in files)}. Leave one of them.",
            file=names[files[-1]],
            line=2,
            column=contract.period,
        )
        for (series, period), files in sorted(claims.files.items())
        if len(files) > 1
    ]
