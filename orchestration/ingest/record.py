"""Writing down how a delivery fared, in ``control`` and ``quarantine``."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import duckdb
import pyarrow as pa

from orchestration.ingest.contract import Contract
from orchestration.ingest.faults import Fault
from orchestration.ingest.landing import received_at
from orchestration.ingest.outcomes import Outcome
from orchestration.ingest.pending import Pending


def record(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    pending: Pending,
    state: Literal["loaded", "refused"],
    stopping: list[Fault],
    now: datetime,
) -> Outcome:
    """Record a delivery as loaded or refused, with its files and faults; return how it fared.

    ``stopping`` are the faults for which it is refused. Belongs inside the load's transaction.
    """
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
            f"insert into control.coverage select ?, {contract.series_sql}, {contract.period}, "
            f"_delivery_id, count(*) from {contract.raw_table} where _delivery_id = ? group by all",
            [contract.source, pending.delivery_id],
        )
    return outcome


def _record_files(
    connection: duckdb.DuckDBPyConnection, contract: Contract, pending: Pending
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
    connection: duckdb.DuckDBPyConnection, pending: Pending, stopping: Sequence[Fault]
) -> None:
    ids = {load.file.name: load.file_id for load in pending.files}
    faults = [*pending.faults, *stopping]
    if not faults:
        return
    columns: dict[str, tuple[pa.DataType, list[object]]] = {
        "delivery_id": (pa.int32(), [pending.delivery_id] * len(faults)),
        "file_id": (pa.int32(), [ids.get(fault.file or "", 0) for fault in faults]),
        "line": (pa.int64(), [fault.line for fault in faults]),
        "sheet": (pa.string(), [fault.sheet for fault in faults]),
        "column_name": (pa.string(), [fault.column for fault in faults]),
        "value": (pa.string(), [fault.value for fault in faults]),
        "rule": (pa.string(), [fault.rule for fault in faults]),
        "message": (pa.string(), [fault.message for fault in faults]),
    }
    table = pa.table({name: pa.array(values, kind) for name, (kind, values) in columns.items()})
    connection.register("_faults", table)
    connection.execute("insert into quarantine.refused_rows by name select * from _faults")
    connection.unregister("_faults")
