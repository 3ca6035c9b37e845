"""Rows of another period than their file: moved from the raw table into quarantine.

A row of June in July's street file would be counted beside June's own. ``coverage.py`` finds such
rows by their numbers. Here each is found in its file and refused with a message.
"""

from collections.abc import Sequence

import duckdb

from orchestration.ingest.checking.contract import Column, Contract
from orchestration.ingest.checking.coverage import STRAY_RULE, Stray
from orchestration.ingest.checking.faults import Fault
from orchestration.ingest.checking.rules import Rule, typed
from orchestration.ingest.landing.delivery_discovery import Pending
from orchestration.warehouse.sql_quoting import literal


def remove_strays(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    pending: Pending,
    strays: Sequence[Stray],
) -> None:
    """Take stray rows out of the raw table, and count them as refused.

    Those of a bulk file are described later, by :func:`stray_rule`, with its other refused lines.
    """
    where = f"_delivery_id = {pending.delivery_id} and ({_are(strays, contract)})"
    of = {(one.file_id, one.series, one.period): one.of for one in strays}
    files = {load.file_id: load for load in pending.files}
    if contract.layout != "csv":
        rows = connection.execute(
            f"select _file_id, _sheet, _line, {contract.series_sql}, {contract.period} "
            f"from {contract.raw_table} where {where} order by _file_id, _line"
        ).fetchall()
        for file_id, sheet, line, series, period in rows:
            files[file_id].refused += 1
            pending.faults.append(
                Fault(
                    STRAY_RULE,
                    _message(str(of[file_id, series, period])),
                    file=files[file_id].file.name,
                    sheet=sheet,
                    line=line,
                    column=_period_column(contract).title,
                    value=str(period),
                    severity="record",
                )
            )
    connection.execute(f"delete from {contract.raw_table} where {where}")
    for one in strays:
        files[one.file_id].loaded -= one.rows


def stray_rule(contract: Contract, file_id: int, strays: Sequence[Stray]) -> Rule | None:
    """Return the rule that the stray rows of a bulk file break; none where it has none."""
    own = [one for one in strays if one.file_id == file_id]
    if not own:
        return None
    column = _period_column(contract)
    pairs = ", ".join(
        f"({literal(one.series)}, date {literal(one.period.isoformat())})" for one in own
    )
    condition = (
        f"coalesce(({contract.series_sql}, {typed(column, contract)}) not in ({pairs}), true)"
    )
    return Rule(column, STRAY_RULE, condition, _message(own[0].of))


def _are(strays: Sequence[Stray], contract: Contract) -> str:
    return " or ".join(
        f"(_file_id = {one.file_id} and {contract.series_sql} = {literal(one.series)} "
        f"and {contract.period} = date {literal(one.period.isoformat())})"
        for one in strays
    )


def _period_column(contract: Contract) -> Column:
    (column,) = (one for one in contract.columns if one.name == contract.period)
    origin = [one for one in contract.columns if one.name == column.derived_from]
    return origin[0] if origin else column


def _message(of: str) -> str:
    return (
        f"The row is of another period than its file, which is of {of}. It is left out, so that it "
        "is not counted beside that period's own rows. Send it in the file of its period; if the "
        "file is of both, land it with --covers."
    )
