"""Schema compatibility: a published column keeps its name and type within a schema version.

Tables and columns may be added at any time.
"""

from collections.abc import Sequence
from pathlib import Path

from orchestration.publish.errors import SchemaChangeError
from orchestration.publish.published_tables import PublishedTable
from orchestration.releases.published_file import open_release


def refuse_schema_change(tables: Sequence[PublishedTable], version: int, standing: Path) -> None:
    """Raise :class:`SchemaChangeError` where ``tables`` break the schema that readers know.

    ``tables`` are all of the new file with the types that they have in it, ``version`` is its
    schema version, and ``standing`` a published file. A higher version may break the schema,
    and shows readers that it did.
    """
    with open_release(standing) as connection:
        known = connection.execute(
            "select schema_name || '.' || table_name, column_name, data_type "
            "from duckdb_columns() where database_name = current_database() and not internal "
            "order by all"
        ).fetchall()
        ((was,),) = connection.execute("select schema_version from main.release").fetchall()
    if version > was:
        return
    new = {
        table.full_name: {column.name: column.data_type.upper() for column in table.columns}
        for table in tables
    }
    broken = [_broken(new.get(table), table, column, kind) for table, column, kind in known]
    if said := list(dict.fromkeys(filter(None, broken))):
        raise SchemaChangeError(
            f"The release would break what readers rely on (schema version {version}): "
            f"{'; '.join(said)}. Keep the columns, or raise SCHEMA_VERSION in "
            "orchestration/publish/release_contents.py and say so in the changelog."
        )


def _broken(columns: dict[str, str] | None, table: str, column: str, kind: str) -> str | None:
    if columns is None:
        return f"table {table} is gone"
    if column not in columns:
        return f"{table}.{column} is gone"
    if columns[column] != kind:
        return f"{table}.{column} was {kind} and is {columns[column]}"
    return None
