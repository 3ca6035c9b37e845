"""Which tables, and which of their rows, go to a partnership.

Decided by the columns, so that a new mart needs no new rule:

- a table that is about the release, or has no ``area_code``, goes whole (``dim_month``);
- one that says whose each row is (``csp`` or ``area_type``) gives the partnership's own districts
  and, for comparison, its force;
- one that does not (``table_5_social_dwellings``) is printed to compare districts, and gives every
  area of the force.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from orchestration.exports.errors import ExportError, UnknownPartnershipError
from orchestration.publish.database import identifier, qualified

Row = Mapping[str, object]
"""One row of a table, by column name."""


@dataclass(frozen=True)
class ReleaseFacts:
    """What the release says of itself; ``built_at`` is in UTC."""

    quarter: date
    quarter_label: str
    built_at: datetime
    schema_version: int
    synthetic: bool
    synthetic_notice: str | None
    product: str
    product_version: str
    content_digest: str


@dataclass(frozen=True)
class Partnership:
    """A partnership with the areas that concern it, as GSS codes."""

    csp: str
    name: str
    districts: tuple[str, ...]
    forces: tuple[str, ...]
    neighbours: tuple[str, ...]
    """Every district of the forces, and the forces themselves."""


@dataclass(frozen=True)
class TableRef:
    """A table of the release: its columns with their types, and what readers are told of it."""

    schema: str
    name: str
    title: str
    description: str
    note: str
    key: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]

    @property
    def full_name(self) -> str:
        """Schema and name, such as ``marts.dim_area``."""
        return f"{self.schema}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(name for name, _ in self.columns)


def release_facts(connection: duckdb.DuckDBPyConnection) -> ReleaseFacts:
    """Read the one row of ``release``."""
    rows = fetch(
        connection,
        "select quarter, quarter_label, built_at, schema_version, synthetic, synthetic_notice, "
        "product, product_version, content_digest from main.release",
    )
    if len(rows) != 1:
        raise ExportError(f"The release describes itself {len(rows)} times; it must be once.")
    return ReleaseFacts(**rows[0])  # type: ignore[arg-type]


def partnerships(connection: duckdb.DuckDBPyConnection) -> list[Partnership]:
    """Return every partnership of the release, by its short name.

    Raises :class:`ExportError` where the release has no areas to tell them from.
    """
    try:
        areas = fetch(
            connection,
            "select area_code, area_type, force_code, csp, csp_name from marts.dim_area "
            "order by area_code",
        )
    except duckdb.CatalogException as error:
        raise ExportError(
            "The release has no marts.dim_area, which says which partnerships there are."
        ) from error
    names = {str(area["csp"]): str(area["csp_name"]) for area in areas if area["csp"]}
    return [_partnership(csp, name, areas) for csp, name in sorted(names.items())]


def partnership(connection: duckdb.DuckDBPyConnection, csp: str) -> Partnership:
    """Return the partnership named ``csp``, or raise :class:`UnknownPartnershipError`."""
    known = partnerships(connection)
    for one in known:
        if one.csp == csp:
            return one
    raise UnknownPartnershipError(
        f"The release knows no partnership '{csp}'. It knows: "
        f"{', '.join(one.csp for one in known) or 'none'}."
    )


def _partnership(csp: str, name: str, areas: list[Row]) -> Partnership:
    own = [area for area in areas if area["csp"] == csp]
    forces = sorted({str(area["force_code"]) for area in own if area["force_code"]})
    neighbours = [
        str(area["area_code"])
        for area in areas
        if area["area_type"] in ("district", "force") and area["force_code"] in forces
    ]
    return Partnership(
        csp=csp,
        name=name,
        districts=tuple(str(area["area_code"]) for area in own),
        forces=tuple(forces),
        neighbours=tuple(sorted({*neighbours, *forces})),
    )


def exported_tables(connection: duckdb.DuckDBPyConnection) -> list[TableRef]:
    """Return the tables to export: every mart and report, and the data dictionary."""
    described = fetch(
        connection,
        "select table_schema, table_name, title, description, note, key_columns "
        "from main.published_tables "
        "where table_schema <> 'main' or table_name in ('changes', 'data_dictionary') "
        "order by table_schema, table_name",
    )
    columns = fetch(
        connection,
        "select table_schema, table_name, column_name, data_type from main.data_dictionary "
        "order by table_schema, table_name, column_position",
    )
    return [
        TableRef(
            schema=str(table["table_schema"]),
            name=str(table["table_name"]),
            title=str(table["title"]),
            description=str(table["description"]),
            note=str(table["note"] or ""),
            key=tuple(name for name in str(table["key_columns"]).split(", ") if name),
            columns=tuple(
                (str(column["column_name"]), str(column["data_type"]))
                for column in columns
                if column["table_schema"] == table["table_schema"]
                and column["table_name"] == table["table_name"]
            ),
        )
        for table in described
    ]


def selected_areas(table: TableRef, whose: Partnership) -> tuple[str, ...] | None:
    """Return the area codes whose rows of ``table`` go to the partnership; none means all rows."""
    names = table.column_names
    if "area_code" not in names:
        return None
    if "csp" in names or "area_type" in names:
        return (*whose.districts, *whose.forces)
    return whose.neighbours


def selection_query(table: TableRef, whose: Partnership, columns: str | None = None) -> str:
    """Return the SQL that selects the partnership's rows in the order of the table's key.

    ``columns`` is the select list, every column where left out. Codes are compared as text
    literals, for statements such as COPY that take no parameters.
    """
    listed = columns or ", ".join(identifier(name) for name in table.column_names)
    areas = selected_areas(table, whose)
    where = ""
    if areas is not None:
        codes = ", ".join("'" + code.replace("'", "''") + "'" for code in areas)
        # What changed may concern no area at all; every other table names one in each row.
        where = f" where (area_code in ({codes}) or area_code is null)"
    rest = [name for name in table.column_names if name not in table.key]
    order = ", ".join(f"source.{identifier(name)}" for name in (*table.key, *rest))
    path = qualified(table.schema, table.name)
    return f"select {listed} from {path} as source{where} order by {order}"


def selected_rows(
    connection: duckdb.DuckDBPyConnection, table: TableRef, whose: Partnership
) -> list[Row]:
    """Return the partnership's rows of ``table`` in the order of its key."""
    return fetch(connection, selection_query(table, whose))


def fetch(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    """Return the rows of ``query`` as mappings from column name to value."""
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
