"""Raw tables, made from the contracts: columns, types and comments.

A raw table is append-only and holds every version of every delivery. Rows of a bulk source carry
their delivery and file; their line follows from their order and is shown by ``<table>_lines``.
"""

from collections.abc import Mapping

import duckdb

from orchestration.errors import OutdatedWarehouseError
from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.checking.in_force_view import create_in_force_view
from orchestration.warehouse.sql_quoting import literal

_LINES_VIEW = """
create or replace view {table}_lines as
with
numbered as (
    select
        *,
        row_number() over (partition by _file_id order by rowid) + 1 as position
    from {table}
),
refused as (
    select distinct file_id, line from quarantine.refused_rows where line is not null
),
shifts as (
    -- A refused line moves every later row of its file down by one.
    select
        file_id,
        line - row_number() over (partition by file_id order by line) + 1 as position
    from refused
)
select
    numbered.* exclude (position),
    numbered.position + (
        select count(*)
        from shifts
        where shifts.file_id = numbered._file_id and shifts.position <= numbered.position
    ) as _line
from numbered
"""


def ensure_raw_table(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Create the source's raw table, with the contract's types and comments, where it is missing.

    A bulk source also gets a view ``<table>_lines`` that shows the line of each row in its file
    (header is line 1; blank lines are not counted). Staging reads ``in_force.<source>``, the view
    of its rows in force.

    Raises :class:`OutdatedWarehouseError` where the table was made by another contract: its rows
    were not read for the columns that are asked for now.
    """
    described: dict[str, tuple[str, str]] = {
        column.name: (column.type, column.comment) for column in contract.stored_columns
    }
    described |= contract.lineage_columns
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in described.items())
    table = contract.raw_table
    connection.execute(f"create table if not exists {table} ({columns})")
    _refuse_other_columns(connection, contract, described)
    connection.execute(f"comment on table {table} is {literal(contract.meaning)}")
    for name, (_, meaning) in described.items():
        connection.execute(f"comment on column {table}.{name} is {literal(meaning)}")
    create_in_force_view(connection, contract)
    if contract.layout == "csv":
        connection.execute(_LINES_VIEW.format(table=table))


def _refuse_other_columns(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    described: Mapping[str, tuple[str, str]],
) -> None:
    found = dict(
        connection.execute(
            "select column_name, data_type from duckdb_columns() "
            "where schema_name = 'raw' and table_name = ?",
            [contract.source],
        ).fetchall()
    )
    wanted = {name: kind for name, (kind, _) in described.items()}
    if found == wanted:
        return
    differing = sorted(
        name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)
    )
    raise OutdatedWarehouseError(
        f"The warehouse was made by an earlier contract of {contract.source} (differing columns: "
        f"{', '.join(differing)}). Move the warehouse file away and run `csp refresh`: it is "
        "rebuilt from the landing zone. The published releases are not affected."
    )
