"""How the published tables join: ``main.joins``, from the keys that dimensions declare.

Every published mart and report that has all columns of a key joins by it, a new one too.
"""

from collections.abc import Iterable
from typing import NamedTuple

from orchestration.publish.published_tables import PublishedColumn, PublishedTable

JOINS = PublishedTable(
    "main",
    "joins",
    "How tables join",
    "One row for each key by which a table joins a dimension. Each row of the table has one row of "
    "the dimension, so that the join neither loses nor doubles rows.",
    "",
    "reference",
    (
        PublishedColumn("table_schema", "VARCHAR", "Schema of the table."),
        PublishedColumn("table_name", "VARCHAR", "Name of the table."),
        PublishedColumn(
            "column_names", "VARCHAR", "Columns of the table to join by, separated by commas."
        ),
        PublishedColumn("dimension_schema", "VARCHAR", "Schema of the dimension."),
        PublishedColumn("dimension_name", "VARCHAR", "Name of the dimension."),
        PublishedColumn(
            "dimension_columns",
            "VARCHAR",
            "Columns of the dimension, in the same order, separated by commas.",
        ),
        PublishedColumn(
            "is_optional",
            "BOOLEAN",
            "True where the columns may be empty: take a left join to keep these rows.",
        ),
    ),
    ("table_schema", "table_name", "dimension_schema", "dimension_name", "column_names"),
)


class Join(NamedTuple):
    """A key by which a table joins a dimension; both by schema and name."""

    table: tuple[str, str]
    dimension: tuple[str, str]
    columns: tuple[str, ...]
    dimension_columns: tuple[str, ...]
    optional: bool

    @property
    def row(self) -> list[object]:
        """Its row of :data:`JOINS`."""
        return [
            *self.table,
            ", ".join(self.columns),
            *self.dimension,
            ", ".join(self.dimension_columns),
            self.optional,
        ]


def joins(tables: Iterable[PublishedTable]) -> list[Join]:
    """Return every join of the tables with a dimension among them, by table and dimension."""
    every = list(tables)
    return sorted(
        Join(
            (table.schema, table.name),
            (dimension.schema, dimension.name),
            key.columns,
            key.to,
            key.optional,
        )
        for dimension in every
        for key in dimension.joined_by
        for table in every
        if table.name not in key.unless
        and set(key.columns) <= {column.name for column in table.columns}
    )
