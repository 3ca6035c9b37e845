"""What a purge looks at: the tables that it keeps, the rows that stay, and the pseudonyms that go.

Shared by the purge of a warehouse file (``purging``) and that of a lake (``lake_purging``).
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from mmap import mmap

import duckdb

from orchestration.warehouse.purge_journal import PurgedDelivery, PurgeEntry
from orchestration.warehouse.sql_quoting import literal, qualified

KEPT_SCHEMAS = ("raw", "quarantine", "control", "in_force")
"""All other schemas are built from these."""
_EMPTIED = {"control.in_force", "control.anomalies", "control.last_build"}
"""Control tables that the next refresh fills."""
_ON_RECORD = {"control.deliveries", "control.files", "control.coverage", "control.purges"}
"""Tables that keep what a purged delivery was: files, checksums, counts, periods."""
_HEX = re.compile(rb"[0-9a-f]{64,}")
_LENGTH = 64
_CONTROLS = 1000
"""How many pseudonyms that stay must be found, so that finding no other one proves something."""


@dataclass(frozen=True)
class KeptTable:
    """A table that a purge keeps: where it is, the statement that makes it, and its columns."""

    schema: str
    name: str
    sql: str
    columns: tuple[str, ...]

    @property
    def path(self) -> str:
        """Its name with its schema."""
        return f"{self.schema}.{self.name}"

    @property
    def delivery_column(self) -> str | None:
        """The column that numbers the delivery of a row; none where a purge keeps every row."""
        if self.path in _ON_RECORD:
            return None
        return next((one for one in ("_delivery_id", "delivery_id") if one in self.columns), None)


DELIVERY_COLUMNS = ", ".join(PurgedDelivery.model_fields)


def deliveries_where(
    connection: duckdb.DuckDBPyConnection, condition: str, parameters: Sequence[object] = ()
) -> list[tuple[PurgedDelivery, int]]:
    """Return the deliveries on record that meet an SQL condition, with their numbers."""
    rows = connection.execute(
        f"select delivery_id, {DELIVERY_COLUMNS} from control.deliveries where {condition} "
        "order by source, quarter, version",
        list(parameters),
    ).fetchall()
    return [
        (PurgedDelivery(**dict(zip(PurgedDelivery.model_fields, row, strict=True))), number)
        for number, *row in rows
    ]


def held_deliveries(
    connection: duckdb.DuckDBPyConnection, entry: PurgeEntry
) -> list[tuple[PurgedDelivery, int, bool]]:
    """Return the deliveries of a purge that a file knows: number, and whether it purged them."""
    wanted = {one.identity for one in entry.deliveries}
    rows = connection.execute("select delivery_id from control.purges").fetchall()
    purged = {number for (number,) in rows}
    return [
        (one, number, number in purged)
        for one, number in deliveries_where(connection, "true")
        if one.identity in wanted
    ]


def listed(numbers: Iterable[int]) -> str:
    """Return numbers as SQL lists them, ``null`` where there are none."""
    return ", ".join(str(number) for number in numbers) or "null"


def kept_tables(connection: duckdb.DuckDBPyConnection) -> list[KeptTable]:
    """Return the tables that a purge keeps; the next refresh builds all others."""
    rows = connection.execute(
        "select tables.schema_name, tables.table_name, any_value(tables.sql), "
        "list(columns.column_name order by columns.column_index) "
        "from duckdb_tables() as tables inner join duckdb_columns() as columns "
        "using (database_name, schema_name, table_name) "
        "where database_name = current_database() and not tables.temporary "
        "and schema_name in (select unnest(?)) group by all order by all",
        [list(KEPT_SCHEMAS)],
    ).fetchall()
    return [KeptTable(schema, name, sql, tuple(columns)) for schema, name, sql, columns in rows]


def pseudonyms_of(
    connection: duckdb.DuckDBPyConnection, numbers: str
) -> tuple[set[bytes], set[bytes]]:
    """Return the pseudonyms that only the deliveries' rows have, and some of the others."""
    columns = connection.execute(
        "select columns.table_name, columns.column_name from duckdb_columns() as columns "
        "inner join duckdb_tables() as tables using (database_name, schema_name, table_name) "
        "where database_name = current_database() and schema_name = 'raw' "
        "and columns.data_type = 'VARCHAR' "
    ).fetchall()
    connection.execute("create or replace temp table _leaving (value varchar)")
    leaving = []
    for table, column in columns:
        column, table = qualified(column), qualified("raw", table)
        ((count,),) = connection.execute(
            f"insert into temp._leaving select distinct {column} from {table} "
            f"where _delivery_id in ({numbers}) "
            f"and regexp_full_match({column}, '[0-9a-f]{{{_LENGTH}}}')"
        ).fetchall()
        if count:
            leaving.append((table, column))
    staying: set[bytes] = set()
    for table, column in leaving:
        rows = connection.execute(
            f"select distinct {column} from {table} where _delivery_id not in ({numbers}) "
            f"and length({column}) = {_LENGTH} limit {_CONTROLS}"
        ).fetchall()
        staying |= {value.encode() for (value,) in rows}
    for table, column in columns if leaving else ():
        connection.execute(
            f"delete from temp._leaving where value in (select {qualified(column)} "
            f"from {qualified('raw', table)} where _delivery_id not in ({numbers}))"
        )
    rows = connection.execute("select distinct value from temp._leaving").fetchall()
    connection.execute("drop table temp._leaving")
    return {value.encode() for (value,) in rows}, staying


def shown(table: KeptTable, numbers: Sequence[int]) -> str:
    """Return what is selected of a table's rows that stay, once the deliveries are purged."""
    if table.path != "control.deliveries":
        return "*"
    # A reason may quote a row.
    return (
        f"* replace (case when delivery_id in ({listed(numbers)}) and reason is not null "
        "then 'Its reasons were purged.' else reason end as reason)"
    )


def stays(table: KeptTable, entry: PurgeEntry, numbers: Sequence[int]) -> str:
    """Return the condition on the rows of a table that stay."""
    if table.path in _EMPTIED:
        return "false"
    if table.path == "control.corrections_applied":
        sources = ", ".join(literal(one.source) for one in entry.deliveries) or "null"
        return f"(source in ({sources})) is not true"
    if column := table.delivery_column:
        return f"({column} in ({listed(numbers)})) is not true"
    return "true"


def comment_statements(
    connection: duckdb.DuckDBPyConnection, tables_wanted: Collection[str] | None = None
) -> list[str]:
    """Return the statements that give new tables the comments of the old ones: of all that are
    kept, or of those wanted (``schema.name``)."""
    tables = connection.execute(
        "select schema_name, table_name, null, comment from duckdb_tables() "
        "where database_name = current_database() and comment is not null "
        "and schema_name in (select unnest($1)) union all "
        "select schema_name, table_name, column_name, columns.comment "
        "from duckdb_columns() as columns "
        "inner join duckdb_tables() using (database_name, schema_name, table_name) "
        "where database_name = current_database() and columns.comment is not null "
        "and schema_name in (select unnest($1))",
        [list(KEPT_SCHEMAS)],
    ).fetchall()
    return [
        f"comment on {'column' if column else 'table'} "
        f"{qualified(*(part for part in (schema, table, column) if part))} is {literal(comment)}"
        for schema, table, column, comment in tables
        if tables_wanted is None or f"{schema}.{table}" in tables_wanted
    ]


def rows_left(connection: duckdb.DuckDBPyConnection, numbers: str) -> int:
    """Count the rows of the deliveries (``numbers``, listed) that are still in kept tables."""
    left = 0
    for table in kept_tables(connection):
        if table.delivery_column:
            ((count,),) = connection.execute(
                f"select count(*) from {qualified(table.schema, table.name)} "
                f"where {table.delivery_column} in ({numbers})"
            ).fetchall()
            left += int(count)
    return left


def values_found(connection: duckdb.DuckDBPyConnection, wanted: set[bytes]) -> Iterator[bytes]:
    """Yield those of ``wanted`` that a value of any table holds, by itself or within a text."""
    columns = connection.execute(
        "select columns.schema_name, columns.table_name, list(columns.column_name) "
        "from duckdb_columns() as columns "
        "inner join duckdb_tables() using (database_name, schema_name, table_name) "
        "where database_name = current_database() and (numeric_precision is null "
        "and columns.data_type not in ('DATE', 'BOOLEAN', 'TIMESTAMP', 'TIME')) group by all"
    ).fetchall()
    connection.execute(
        "create or replace temp table _wanted as select unnest(?::varchar[]) as value",
        [sorted(one.decode() for one in wanted)],
    )
    for schema, table, names in columns:
        texts = ", ".join(f"{qualified(name)}::varchar" for name in names)
        # One statement a table: each of a lake's asks its catalogue.
        rows = connection.execute(
            "select distinct text from "
            f"(select unnest([{texts}]) as text from {qualified(schema, table)}) "
            "where text in (select value from temp._wanted) or "
            f"(length(text) > {_LENGTH} and regexp_matches(text, '[0-9a-f]{{{_LENGTH}}}'))"
        ).fetchall()
        for (value,) in rows:
            yield from pseudonyms_within(value.encode(), wanted)
    connection.execute("drop table temp._wanted")


def pseudonyms_within(content: bytes | mmap, wanted: set[bytes]) -> Iterator[bytes]:
    """Yield those of ``wanted`` that are anywhere in a content; values may follow without a gap."""
    for run in _HEX.finditer(content):
        digits = run[0]
        for start in range(len(digits) - _LENGTH + 1):
            if (value := digits[start : start + _LENGTH]) in wanted:
                yield value
