"""Values that are no police force: loaded, reported with the first row and the nearest names.

A force may be new or renamed, so a name that nobody knows refuses no row. A force that the
partnerships file serves is known, whatever its name.
"""

from collections.abc import Sequence

import duckdb

from orchestration.ingest.checking.contract import Column, Contract
from orchestration.ingest.checking.coverage import plain_name
from orchestration.ingest.checking.faults import Fault
from orchestration.ingest.checking.force_names import force_slug
from orchestration.ingest.checking.known_places import POLICE_FORCES
from orchestration.ingest.checking.served_names import nearest, served_names
from orchestration.ingest.landing.delivery_discovery import FileLoad, Pending
from orchestration.ingest.loading.bulk_csv import BulkFile, first_line_with

UNKNOWN_FORCE_RULE = "is a police force"


def unknown_forces(
    connection: duckdb.DuckDBPyConnection, contract: Contract, group: Sequence[Pending]
) -> dict[int, list[Fault]]:
    """Return a warning for each name in a file that is no police force, by delivery.

    The rows are in the raw table. Its scan counts a name once a file, so it costs little.
    """
    columns = [column for column in contract.stored_columns if column.names == "force"]
    if not columns:
        return {}
    names = [*POLICE_FORCES, *served_names(connection, "force")]
    known = {one for name in names for one in (plain_name(name), force_slug(name))}
    holders = {file.file_id: (one, file) for one in group for file in one.files}
    found: dict[int, list[Fault]] = {}
    for column in columns:
        rows = connection.execute(
            f"select _file_id, {column.name}, count(*) from {contract.raw_table} where "
            f"_delivery_id in ({', '.join(str(one.delivery_id) for one in group)}) "
            f"and {column.name} is not null group by all order by all"
        ).fetchall()
        for file_id, name, count in rows:
            if plain_name(name) in known:
                continue
            pending, file = holders[file_id]
            sheet, line = _first_place(connection, contract, pending, file, column, name)
            fault = Fault(
                UNKNOWN_FORCE_RULE,
                _message(count, nearest(name, names)),
                file=file.file.name,
                sheet=sheet,
                line=line,
                column=column.title,
                value=name,
                severity="warning",
            )
            found.setdefault(pending.delivery_id, []).append(fault)
    return found


def _message(count: int, near: Sequence[str]) -> str:
    rows = "1 row has" if count == 1 else f"{count:,} rows have"
    hint = f" Nearest: {', '.join(repr(one) for one in near)}." if near else ""
    return (
        f"{rows} a name that no police force has and the partnerships file does not serve.{hint} "
        "Rows reported by it are counted for no area. If it is misspelled, correct the file; if "
        "the force is new or renamed, serve it in the partnerships file."
    )


def _first_place(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    pending: Pending,
    file: FileLoad,
    column: Column,
    name: str,
) -> tuple[str | None, int | None]:
    """Return the sheet and the line of the first row with a name."""
    if contract.layout == "csv":
        if file.scanned is None:
            return None, None
        bulk = BulkFile(file.scanned, file.file_id, pending.delivery_id)
        return None, first_line_with(connection, contract, bulk, column, name)
    row = connection.execute(
        f"select _sheet, _line from {contract.raw_table} "
        f"where _file_id = $1 and {column.name} = $2 order by _line limit 1",
        [file.file_id, name],
    ).fetchone()
    return (row[0], row[1]) if row else (None, None)
