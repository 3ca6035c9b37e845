"""Records the outcome of deliveries in ``control`` and ``quarantine``."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import duckdb
import pyarrow as pa

from orchestration.ingest.checking.configured_values import configured_digest, is_configured_fault
from orchestration.ingest.checking.configured_words import vocabulary_of
from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.checking.faults import Fault
from orchestration.ingest.checking.shown_texts import ShownTexts, Vocabulary
from orchestration.ingest.landing.delivery_discovery import Pending
from orchestration.ingest.landing.file_index import index_files
from orchestration.ingest.landing.landing_zone import quarter_of, received_at
from orchestration.ingest.loading.outcomes import Outcome

Judged = tuple[Pending, Sequence[Fault]]
"""A delivery and the faults for which it is refused; it is loaded where there are none."""


def record(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    judged: Sequence[Judged],
    now: datetime,
) -> list[Outcome]:
    """Record deliveries as loaded or refused, with their files and faults; return the outcomes.

    Faults are recorded and returned as they may be shown. Belongs inside the load's transaction.
    """
    vocabulary = vocabulary_of(connection)
    judged = [
        (pending, shown_faults(contract, vocabulary, pending, stopping))
        for pending, stopping in judged
    ]
    outcomes = [_outcome(contract, pending, stopping) for pending, stopping in judged]
    _record_deliveries(connection, judged, outcomes, now)
    _record_files(connection, contract, [pending for pending, _ in judged])
    _record_faults(connection, judged)
    _record_configured_faults(connection, contract, judged)
    _record_coverage(connection, contract, judged)
    return outcomes


def shown_faults(
    contract: Contract, vocabulary: Vocabulary, pending: Pending, stopping: Sequence[Fault]
) -> list[Fault]:
    """Turn the faults and warnings of a delivery into what may be shown; return ``stopping`` so."""
    names = [load.file.name for load in pending.files]
    texts = ShownTexts(contract, vocabulary, quarter_of(pending.delivery), names)
    pending.shown_names = {name: texts.file(name) for name in names}
    pending.faults = texts.faults(pending.faults)
    pending.warnings = texts.faults(pending.warnings)
    pending.mild = texts.faults(pending.mild)
    return texts.faults(stopping)


def _outcome(contract: Contract, pending: Pending, stopping: Sequence[Fault]) -> Outcome:
    if stopping:
        for load in pending.files:
            load.loaded, load.refused = 0, load.delivered
    return Outcome(
        contract.source,
        pending.delivery.quarter,
        pending.version,
        "refused" if stopping else "loaded",
        sum(load.delivered for load in pending.files),
        sum(load.loaded for load in pending.files),
        sum(load.refused for load in pending.files),
        " ".join(str(fault) for fault in stopping) or None,
        [*stopping, *pending.faults],
        pending.warnings,
    )


def _record_deliveries(
    connection: duckdb.DuckDBPyConnection,
    judged: Sequence[Judged],
    outcomes: Sequence[Outcome],
    now: datetime,
) -> None:
    deliveries = [pending.delivery for pending, _ in judged]
    receipts = [delivery.receipt for delivery in deliveries]
    _append(
        connection,
        "control.deliveries",
        {
            "delivery_id": [pending.delivery_id for pending, _ in judged],
            "source": [one.source for one in outcomes],
            "quarter": [one.quarter for one in outcomes],
            "version": [one.version for one in outcomes],
            "state": [one.state for one in outcomes],
            "nature": [delivery.nature for delivery in deliveries],
            "note": [receipt.note if receipt else None for receipt in receipts],
            "content_sha256": [delivery.content_sha256 for delivery in deliveries],
            "received_at": [received_at(delivery) for delivery in deliveries],
            "loaded_at": [now] * len(judged),
            "rows_delivered": [one.rows_delivered for one in outcomes],
            "rows_loaded": [one.rows_loaded for one in outcomes],
            "rows_refused": [one.rows_refused for one in outcomes],
            "reason": [one.reason for one in outcomes],
        },
    )


def _record_files(
    connection: duckdb.DuckDBPyConnection, contract: Contract, group: Sequence[Pending]
) -> None:
    held = [(one, load) for one in group for load in one.files]
    files = [load.file for _, load in held]
    _append(
        connection,
        "control.files",
        {
            "file_name": [file.name for file in files],
            "bytes": [file.bytes for file in files],
            "sha256": [file.sha256 for file in files],
            "file_id": [load.file_id for _, load in held],
            "delivery_id": [one.delivery_id for one, _ in held],
            "header_lines": [1 if contract.layout == "csv" else 0] * len(held),
            "rows_delivered": [load.delivered for _, load in held],
            "rows_loaded": [load.loaded for _, load in held],
            "rows_refused": [load.refused for _, load in held],
        },
    )
    index_files(connection, contract.source, [one.delivery for one in group])


def _record_faults(connection: duckdb.DuckDBPyConnection, judged: Sequence[Judged]) -> None:
    told = [
        (pending, fault) for pending, stopping in judged for fault in (*pending.faults, *stopping)
    ]
    if not told:
        return
    numbers = {
        (pending.delivery_id, pending.shown_names[load.file.name]): load.file_id
        for pending, _ in judged
        for load in pending.files
    }
    faults = [fault for _, fault in told]
    _append(
        connection,
        "quarantine.refused_rows",
        {
            "delivery_id": [pending.delivery_id for pending, _ in told],
            # A fault of the whole delivery is of no file.
            "file_id": [
                numbers.get((pending.delivery_id, fault.file or ""), 0) for pending, fault in told
            ],
            "line": [fault.line for fault in faults],
            "sheet": [fault.sheet for fault in faults],
            "column_name": [fault.column for fault in faults],
            "value": [fault.value for fault in faults],
            "rule": [fault.rule for fault in faults],
            "message": [fault.message for fault in faults],
        },
    )


def _record_configured_faults(
    connection: duckdb.DuckDBPyConnection, contract: Contract, judged: Iterable[Judged]
) -> None:
    """Note the deliveries that may fare better once the partnerships file has more."""
    found = [
        pending.delivery_id
        for pending, _ in judged
        if any(is_configured_fault(contract, fault) for fault in pending.faults)
    ]
    digest = configured_digest(contract)
    _append(
        connection,
        "control.configured_faults",
        {"delivery_id": found, "configured_sha256": [digest] * len(found)},
    )


def _record_coverage(
    connection: duckdb.DuckDBPyConnection, contract: Contract, judged: Iterable[Judged]
) -> None:
    kept = [
        (pending.delivery_id, one)
        for pending, stopping in judged
        if not stopping
        for one in pending.covered
    ]
    _append(
        connection,
        "control.coverage",
        {
            "source": pa.array([contract.source] * len(kept), pa.string()),
            "series": pa.array([one.series for _, one in kept], pa.string()),
            "name": pa.array([one.name for _, one in kept], pa.string()),
            "period": pa.array([one.period for _, one in kept], pa.date32()),
            "delivery_id": pa.array([number for number, _ in kept], pa.int32()),
            "role": pa.array([one.role for _, one in kept], pa.string()),
            "row_count": pa.array([one.rows for _, one in kept], pa.int64()),
        },
    )


def _append(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Mapping[str, Sequence[object] | pa.Array],
) -> None:
    """Add rows to a table, in one statement; ``columns`` are all its columns, by name."""
    connection.register("_added", pa.table(dict(columns)))
    connection.execute(f"insert into {table} by name select * from _added")
    connection.unregister("_added")
