"""What is wrong with the joins that a published file declares in main.joins."""

from pathlib import Path

import duckdb

from orchestration.warehouse.sql_quoting import identifier, qualified


def join_faults(published: Path) -> list[str]:
    """Join every table with its dimensions; return each join that loses or doubles a row.

    A row whose key is empty may be left out only where the join says that it is optional.
    """
    faults = []
    with duckdb.connect(published, read_only=True) as connection:
        for schema, name, columns, to_schema, to_name, to_columns, optional in connection.execute(
            "from main.joins order by all"
        ).fetchall():
            table, dimension = qualified(schema, name), qualified(to_schema, to_name)
            keys = [identifier(column) for column in columns.split(", ")]
            others = [identifier(column) for column in to_columns.split(", ")]
            on = " and ".join(
                f"facts.{key} = dimensions.{other}" for key, other in zip(keys, others, strict=True)
            )
            filled = " and ".join(f"{key} is not null" for key in keys)
            ((rows, with_key),) = connection.execute(
                f"select count(*), count(*) filter ({filled}) from {table}"
            ).fetchall()
            ((joined, distinct),) = connection.execute(
                "select count(*), count(distinct facts.rowid) "
                f"from {table} as facts inner join {dimension} as dimensions on {on}"
            ).fetchall()
            said = f"{schema}.{name} ({columns}) with {to_schema}.{to_name}"
            if distinct < (with_key if optional else rows):
                faults.append(f"{said}: {distinct} of {rows} rows are found")
            if joined > distinct:
                faults.append(f"{said}: {distinct} rows become {joined}")
    return faults
