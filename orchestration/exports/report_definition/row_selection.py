"""Which tables, and which of their rows, go to a partnership.

Decided by the columns and the kind of the table, so that a new mart needs no new rule:

- a table that is about the release, or has no ``area_code``, goes whole (``dim_month``); so does a
  dimension (``dim_area``), so that every other table joins it;
- one on every place of the country (``recorded_crime_by_csp``) gives the areas of the force;
- one that the assessment prints to compare districts (``table_1_offender_rates``), or that does
  not say whose each row is, gives every area of the force, and what lies in none of them;
- any other mart gives the partnership's own areas with their towns and, for comparison, its force
  and the force's other districts, unless it lists places within them;
- any other table gives the partnership's own areas with their towns, and its force.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

import duckdb

from orchestration.exports.errors import ExportError, UnknownPartnershipError
from orchestration.exports.report_definition.report_catalogue import read_catalogue
from orchestration.releases.restricted_edition import read_mark
from orchestration.warehouse.sql_quoting import identifier, literal, qualified

_SERVED_AREA = "served_area_code"
"""Column of a table on every place of the country: the area served, none of the other places."""

_BELOW_THE_AREA = {"small_area_code", "place_code"}

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
    deliveries_of_quarter: int
    restricted_notice: str = ""
    """What every page says where the release has true counts of people; else empty."""

    @property
    def has_deliveries(self) -> bool:
        """Whether anything but reference data had landed for the quarter itself."""
        return self.deliveries_of_quarter > 0


@dataclass(frozen=True)
class Place:
    """A district or partnership that exhibits are about, by code and name, and its force area.

    ``districts`` are the codes of those that it is or holds, ``peers`` of all of the force.
    """

    code: str
    name: str
    force_code: str
    force_name: str
    districts: frozenset[str] = frozenset()
    peers: frozenset[str] = frozenset()

    def own(self, rows: Iterable[Row]) -> list[Row]:
        """Return its own rows."""
        return [row for row in rows if row.get("area_code") == self.code]

    def force(self, rows: Iterable[Row]) -> list[Row]:
        """Return the force area's rows."""
        return [row for row in rows if row.get("area_code") == self.force_code]


@dataclass(frozen=True)
class Partnership:
    """A partnership with the areas that concern it, by their codes.

    ``areas`` are its own: the partnership first where it has several districts, then its districts.
    """

    csp: str
    name: str
    areas: tuple[str, ...]
    forces: tuple[str, ...]
    neighbours: tuple[str, ...]
    """Its own areas, every district of the forces, and the forces themselves."""
    peers: frozenset[str] = frozenset()
    """Every district of the forces."""

    @property
    def has_several_districts(self) -> bool:
        """Whether the first of its areas is the sum of the others."""
        return len(self.areas) > 1


@dataclass(frozen=True)
class TableRef:
    """A table of the release: its columns with their types, and its description for readers."""

    schema: str
    name: str
    title: str
    description: str
    note: str
    key: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    meanings: Mapping[str, str]
    compared: bool = False
    """Whether it is printed to compare the areas of a force."""
    rounded_to: int | None = None
    """The multiple to which its inner counts are rounded; none where they are not."""

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
        "product, product_version, content_digest, deliveries_of_quarter from main.release",
    )
    if len(rows) != 1:
        raise ExportError(f"The release describes itself {len(rows)} times; it must be once.")
    return ReleaseFacts(**rows[0], restricted_notice=read_mark(connection))  # type: ignore[arg-type]


def areas(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """Return the districts, partnerships and force areas of the release, by code.

    Raises :class:`ExportError` where the release has no areas.
    """
    try:
        return fetch(
            connection,
            "select area_code, area_name, area_type, force_code, csp, csp_name "
            "from marts.dim_area where area_type in ('district', 'partnership', 'force') "
            "order by area_code",
        )
    except duckdb.CatalogException as error:
        raise ExportError(
            "The release has no marts.dim_area, which says which partnerships there are."
        ) from error


def partnerships(connection: duckdb.DuckDBPyConnection) -> list[Partnership]:
    """Return every partnership of the release, by its short name.

    Raises :class:`ExportError` where the release has no areas to tell them from.
    """
    known = areas(connection)
    names = {str(area["csp"]): str(area["csp_name"]) for area in known if area["csp"]}
    return [_partnership(csp, name, known) for csp, name in sorted(names.items())]


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
    of_csp = [area for area in areas if area["csp"] == csp]
    of_csp.sort(key=lambda area: (area["area_type"] == "district", str(area["area_code"])))
    own = tuple(str(area["area_code"]) for area in of_csp)
    forces = sorted({str(area["force_code"]) for area in of_csp if area["force_code"]})
    peers = frozenset(
        str(area["area_code"])
        for area in areas
        if area["area_type"] == "district" and area["force_code"] in forces
    )
    return Partnership(
        csp=csp,
        name=name,
        areas=own,
        forces=tuple(forces),
        neighbours=tuple(sorted({*own, *peers, *forces})),
        peers=peers,
    )


def exported_tables(connection: duckdb.DuckDBPyConnection) -> list[TableRef]:
    """Return the tables to export: marts, reports, audit, changes, dictionary, joins, metrics.

    Raises :class:`ExportError` for a release of an earlier version.
    """
    try:
        described = fetch(
            connection,
            "select table_schema, table_name, title, description, note, key_columns, rounded_to "
            "from main.published_tables "
            "where table_schema <> 'main' "
            "or table_name in ('audit', 'changes', 'data_dictionary', 'joins', 'metrics') "
            "order by table_schema, table_name",
        )
    except duckdb.BinderException as error:
        raise ExportError(
            "The release does not say in main.published_tables which tables are rounded: another "
            "version of the product published it. Refresh its quarter again."
        ) from error
    columns = fetch(
        connection,
        "select table_schema, table_name, column_name, data_type, description "
        "from main.data_dictionary "
        "order by table_schema, table_name, column_position",
    )
    own: dict[tuple[object, object], list[Row]] = {}
    for column in columns:
        own.setdefault((column["table_schema"], column["table_name"]), []).append(column)
    compared = read_catalogue(connection).compared_tables
    return [
        _table(
            row,
            own.get((row["table_schema"], row["table_name"]), []),
            row["table_name"] in compared,
        )
        for row in described
    ]


def _table(described: Row, columns: Sequence[Row], compared: bool) -> TableRef:
    return TableRef(
        schema=str(described["table_schema"]),
        name=str(described["table_name"]),
        title=str(described["title"]),
        description=str(described["description"]),
        note=str(described["note"] or ""),
        key=tuple(name for name in str(described["key_columns"]).split(", ") if name),
        columns=tuple((str(column["column_name"]), str(column["data_type"])) for column in columns),
        meanings=MappingProxyType(
            {str(column["column_name"]): str(column["description"]) for column in columns}
        ),
        compared=compared,
        rounded_to=int(str(to)) if (to := described["rounded_to"]) else None,
    )


def selected_areas(table: TableRef, whose: Partnership) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the area codes whose rows of ``table`` go to the partnership, and those with parts.

    A part of an area, such as a town or the offences without a place, has the area's code before
    a colon. Both are empty where all rows go.
    """
    names = table.column_names
    if _SERVED_AREA in names:
        return whose.neighbours, ()
    if "area_code" not in names or table.name.startswith("dim_"):
        return (), ()
    if table.compared or not {"csp", "area_type"} & set(names):
        return whose.neighbours, whose.neighbours
    if table.schema == "marts" and not set(names) & _BELOW_THE_AREA:
        return whose.neighbours, whose.areas
    return (*whose.areas, *whose.forces), whose.areas


def selection_query(table: TableRef, whose: Partnership, columns: str | None = None) -> str:
    """Return the SQL that selects the partnership's rows in the order of the table's key.

    ``columns`` is the select list, every column where left out. Codes are compared as text
    literals, for statements such as COPY that take no parameters.
    """
    listed = columns or ", ".join(identifier(name) for name in table.column_names)
    areas, wholes = selected_areas(table, whose)
    where = ""
    if areas and _SERVED_AREA in table.column_names:
        where = f" where {_SERVED_AREA} in ({', '.join(map(literal, areas))})"
    elif areas:
        codes = ", ".join(map(literal, areas))
        parts = ", ".join(map(literal, wholes))
        # What changed may concern no area at all; every other table names one in each row.
        where = (
            f" where area_code in ({codes}) or area_code is null "
            f"or (area_code like '%:%' and split_part(area_code, ':', 1) in ({parts}))"
        )
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
