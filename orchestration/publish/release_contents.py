"""The content of a published file: the tables, and the tables about them.

Besides the marts and reports every release has, in schema ``main``: ``release`` (what it is),
``sources`` (the deliveries that it was made from), ``published_tables`` and ``data_dictionary``
(what each table and column means), ``metrics`` (what is measured, and how), ``joins`` (how the
tables join), ``report_metadata`` (how the report tables are shown). Everything here works on a
connection that has the warehouse attached as ``warehouse`` and the new file as ``csp``.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import duckdb

from orchestration.config.identifying_texts import holds_identifier
from orchestration.config.quarters import quarter_label
from orchestration.ingest.checking.shown_texts import neutral_file_name
from orchestration.publish.errors import (
    CatalogueError,
    MissingTableError,
    SchemaMismatchError,
    UnknownOriginError,
)
from orchestration.publish.joins import JOINS, joins
from orchestration.publish.metrics import METRICS, Metric
from orchestration.publish.public_audit import AUDIT_TABLES, compared_with_print, page_rows
from orchestration.publish.published_tables import PublishedColumn, PublishedTable
from orchestration.publish.report_declarations import DeclaredReport
from orchestration.publish.revisions import CHANGES, IN_FORCE
from orchestration.releases.published_file import CATALOGUE
from orchestration.warehouse.sql_quoting import identifier, literal, qualified
from orchestration.warehouse.transaction import transaction

SCHEMA_VERSION = 2
"""Raised when a published column is dropped, renamed or retyped."""

PRODUCT = "CSP Warehouse"

WAREHOUSE = "warehouse"
"""Name under which the restricted database is attached."""


@dataclass(frozen=True)
class SourceDescription:
    """How a source is credited: its title, who supplied it, under which licence, how often.

    ``counts`` is what it counts, as its contract says. ``supplied_by`` has ``{name}`` in the place
    of the force, service or prison that a delivery is of, by its series that start with
    ``supplier_series`` or, where it has none of these, by all.
    """

    title: str = ""
    supplier: str = ""
    licence: str = ""
    cadence: str = ""
    counts: str = ""
    supplied_by: str = ""
    supplier_series: str = ""


def source_descriptions(manifest: Mapping[str, Any]) -> dict[str, SourceDescription]:
    """Return how each source is credited, by its name, from a dbt manifest."""
    return {
        node["name"]: SourceDescription(
            title=node["meta"]["csp"]["title"],
            supplier=node["meta"]["csp"]["supplier"],
            supplied_by=node["meta"]["csp"].get("supplied_by", ""),
            supplier_series=node["meta"]["csp"].get("supplier_series", ""),
            licence=node["meta"]["csp"]["licence"],
            cadence=node["meta"]["csp"]["cadence"],
            counts=node["meta"]["csp"]["counts"],
        )
        for node in manifest["sources"].values()
        if node["source_name"] == "in_force"
    }


RELEASE = PublishedTable(
    "main",
    "release",
    "This release",
    "One row: which quarter the figures are as at, when the file was built, and whether they are "
    "synthetic.",
    "",
    "reference",
    (
        PublishedColumn("quarter", "DATE", "First day of the UK financial quarter, as at its end."),
        PublishedColumn("quarter_label", "VARCHAR", "Name of the quarter, such as Q1 2018/19."),
        PublishedColumn("built_at", "TIMESTAMP", "When this file was built (UTC)."),
        PublishedColumn(
            "schema_version",
            "INTEGER",
            "Version of the published columns; rises when one is dropped, renamed or retyped.",
        ),
        PublishedColumn(
            "synthetic", "BOOLEAN", "True where any delivery in force is synthetic, not real."
        ),
        PublishedColumn(
            "synthetic_notice", "VARCHAR", "What to tell readers of synthetic figures; else null."
        ),
        PublishedColumn(
            "deliveries_of_quarter",
            "INTEGER",
            "Deliveries loaded for this very quarter, without reference data; 0 where nothing had "
            "landed for it and it was built from earlier deliveries nevertheless.",
        ),
        PublishedColumn(
            "data_up_to",
            "DATE",
            "Last day that any figure is about; main.data_up_to has it by table and area.",
        ),
        PublishedColumn("product", "VARCHAR", "Name of the software that built the release."),
        PublishedColumn("product_version", "VARCHAR", "Version of that software."),
        PublishedColumn(
            "content_digest",
            "VARCHAR",
            "Fingerprint of every other table; equal where two releases hold the same.",
        ),
    ),
    ("quarter",),
)

SOURCES = PublishedTable(
    "main",
    "sources",
    "Sources of this release",
    "The files of every delivery in force as at the quarter: what the figures were made from.",
    "",
    "reference",
    (
        PublishedColumn("source", "VARCHAR", "Name of the source in the warehouse."),
        PublishedColumn("title", "VARCHAR", "Title of the source; null where not given."),
        PublishedColumn("supplier", "VARCHAR", "Who supplied it; null where not given."),
        PublishedColumn("licence", "VARCHAR", "Licence of the source; null where not given."),
        PublishedColumn("quarter", "DATE", "First day of the quarter in which it was delivered."),
        PublishedColumn("version", "INTEGER", "Version of the delivery within that quarter."),
        PublishedColumn("nature", "VARCHAR", "Whether the delivery is real or synthetic."),
        PublishedColumn(
            "note",
            "VARCHAR",
            "What its supplier or maker said about it; null of a source about people.",
        ),
        PublishedColumn("first_period", "DATE", "First period for which the delivery is in force."),
        PublishedColumn("last_period", "DATE", "Last period for which the delivery is in force."),
        PublishedColumn(
            "file_name",
            "VARCHAR",
            "Name of the file; of a source about people a neutral one (csp history has both).",
        ),
        PublishedColumn("sha256", "VARCHAR", "SHA-256 checksum of the file; null for people."),
        PublishedColumn("bytes", "BIGINT", "Size of the file in bytes; null for people."),
        PublishedColumn(
            "rows_loaded",
            "BIGINT",
            "Rows of the file that were loaded; null for people.",
        ),
        PublishedColumn(
            "rows_refused",
            "BIGINT",
            "Rows of the file that were refused; null for people.",
        ),
        PublishedColumn(
            "corrections",
            "VARCHAR",
            "Known errors of the delivery that were corrected on the way, and why; null if none.",
        ),
    ),
    ("source", "quarter", "version", "file_name"),
)

TABLES = PublishedTable(
    "main",
    "published_tables",
    "Tables of this release",
    "One row for each table of this file: what it shows, what it counts, and how many rows.",
    "",
    "reference",
    (
        PublishedColumn("table_schema", "VARCHAR", "Schema of the table."),
        PublishedColumn("table_name", "VARCHAR", "Name of the table."),
        PublishedColumn("title", "VARCHAR", "Title of the table."),
        PublishedColumn("description", "VARCHAR", "What a row is and what the table holds."),
        PublishedColumn("note", "VARCHAR", "What a reader must know; null where nothing."),
        PublishedColumn(
            "counts", "VARCHAR", "What the table counts: people, offences, places or reference."
        ),
        PublishedColumn(
            "key_columns", "VARCHAR", "Columns that identify a row, separated by commas."
        ),
        PublishedColumn("rows", "BIGINT", "Number of rows."),
        PublishedColumn(
            "rounded_to",
            "INTEGER",
            "Multiple to which inner counts are rounded; null where counts are as they are.",
        ),
    ),
    ("table_schema", "table_name"),
)

DICTIONARY = PublishedTable(
    "main",
    "data_dictionary",
    "Data dictionary",
    "One row for each column of this file: its type and its meaning.",
    "",
    "reference",
    (
        PublishedColumn("table_schema", "VARCHAR", "Schema of the table."),
        PublishedColumn("table_name", "VARCHAR", "Name of the table."),
        PublishedColumn("column_position", "INTEGER", "Place of the column in the table, from 1."),
        PublishedColumn("column_name", "VARCHAR", "Name of the column."),
        PublishedColumn("data_type", "VARCHAR", "DuckDB type of the column."),
        PublishedColumn("description", "VARCHAR", "What the column means, with its unit."),
        PublishedColumn(
            "metric_name", "VARCHAR", "Metric of main.metrics that the column holds; null for none."
        ),
    ),
    ("table_schema", "table_name", "column_position"),
)

METHODS = PublishedTable(
    "main",
    "method_digests",
    "How each table was computed",
    "One row for each table: the fingerprint of how it is computed. Two releases with one "
    "fingerprint differ by their data alone.",
    "",
    "reference",
    (
        PublishedColumn("table_name", "VARCHAR", "Schema and name of the table."),
        PublishedColumn(
            "method_digest",
            "VARCHAR",
            "Fingerprint of the SQL, macros, reference lists and settings behind the table.",
        ),
    ),
    ("table_name",),
)

DATA_UP_TO = PublishedTable(
    "main",
    "data_up_to",
    "Up to when the data go",
    "One row for each table of figures and area: the last day that a figure is about, and whether "
    "that is before the quarter of the release.",
    "",
    "reference",
    (
        PublishedColumn("table_schema", "VARCHAR", "Schema of the table."),
        PublishedColumn("table_name", "VARCHAR", "Name of the table."),
        PublishedColumn("area_code", "VARCHAR", "GSS code of the area, as in the table."),
        PublishedColumn("quarter", "DATE", "First day of the quarter of the release."),
        PublishedColumn(
            "data_up_to",
            "DATE",
            "Last day of the last period with a figure for the area; null where it has none.",
        ),
        PublishedColumn(
            "note", "VARCHAR", "What to know where the data end before the quarter; else null."
        ),
    ),
    ("table_schema", "table_name", "area_code"),
)

REPORT_METADATA = PublishedTable(
    "main",
    "report_metadata",
    "How the report tables are shown",
    "One row for each table of the report, also one that is not published: what the pack and the "
    "workbook show of it. The exports read it.",
    "",
    "reference",
    (
        PublishedColumn("table_schema", "VARCHAR", "Schema of the table."),
        PublishedColumn("table_name", "VARCHAR", "Name of the table."),
        PublishedColumn(
            "metadata",
            "VARCHAR",
            "Section, label, columns, chart and notes as JSON; fields at their default are left "
            "out.",
        ),
    ),
    ("table_schema", "table_name"),
)

ABOUT_TABLES = (
    RELEASE,
    SOURCES,
    IN_FORCE,
    CHANGES,
    METHODS,
    DATA_UP_TO,
    REPORT_METADATA,
    METRICS,
    JOINS,
    *AUDIT_TABLES,
    TABLES,
    DICTIONARY,
)
"""The tables about the release; every file has them."""

_SOURCES_QUERY = """
with in_force as (
    select source, delivery_id, min(period) as first_period, max(period) as last_period
    from released_in_force
    group by all
),
corrected as (
    select
        source,
        quarter,
        string_agg(distinct said, '; ' order by said) as corrections
    from (
        select *, column_name || ': ' || reason as said
        from warehouse.control.corrections_applied
        where state = 'applied'
    )
    group by all
)
select
    deliveries.source,
    credits.title,
    coalesce(suppliers.supplier, credits.supplier) as supplier,
    credits.licence,
    deliveries.quarter,
    deliveries.version,
    deliveries.nature,
    files.note,
    in_force.first_period,
    in_force.last_period,
    files.file_name,
    files.sha256,
    files.bytes,
    files.rows_loaded,
    files.rows_refused,
    corrected.corrections
from in_force
inner join warehouse.control.deliveries as deliveries using (delivery_id)
inner join published_files as files using (delivery_id)
left join source_credits as credits on credits.source = deliveries.source
left join named_suppliers as suppliers on suppliers.delivery_id = deliveries.delivery_id
left join corrected
    on corrected.source = deliveries.source and corrected.quarter = deliveries.quarter
order by deliveries.source, deliveries.quarter, deliveries.version, files.file_name
"""


_NAMED_SUPPLIERS = """
insert into named_suppliers
with named as (
    select
        delivery_id,
        replace($1, '{name}', in_force.served_name) as supplier,
        starts_with(in_force.series, $3) as is_own
    from released_in_force as in_force
    inner join warehouse.control.series as series using (source, delivered_series)
    where in_force.source = $2 and series.is_served
)
select
    delivery_id,
    coalesce(
        string_agg(distinct supplier, '; ' order by supplier) filter (where is_own),
        string_agg(distinct supplier, '; ' order by supplier)
    )
from named
group by delivery_id
"""
"""Takes how a supplier is named, the source and the start of the supplier's own series."""


def copy_tables(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[PublishedTable]
) -> list[PublishedTable]:
    """Copy tables of the warehouse into the new file, each in the order of its key.

    Returns the tables with the types that they really have. Raises :class:`MissingTableError`, or
    :class:`SchemaMismatchError` where the columns differ from those described.
    """
    # Both are asked once for all: a question for each of a thousand columns takes a second.
    held = _held_columns(connection)
    spellings = _spellings(connection, tables)
    copied = [replace(table, columns=_checked_columns(table, held, spellings)) for table in tables]
    for schema in dict.fromkeys(table.schema for table in copied):
        connection.execute(f"create schema if not exists {qualified(CATALOGUE, schema)}")
    for table in copied:
        _copy(connection, table)
    return copied


def _copy(connection: duckdb.DuckDBPyConnection, table: PublishedTable) -> None:
    source = table.where_it_stands
    names = [identifier(column.name) for column in table.columns]
    keys = [identifier(name) for name in table.key]
    # Every column follows the key, so that rows which share a key still have one order.
    order = ", ".join([*keys, *(name for name in names if name not in keys)])
    connection.execute(
        f"create table {_path(table)} as "
        f"select {', '.join(names)} from {qualified(WAREHOUSE, source.schema, source.name)} "
        f"order by {order}"
    )


def _held_columns(
    connection: duckdb.DuckDBPyConnection,
) -> dict[tuple[str, str], dict[str, str]]:
    """Return the columns of each table of the warehouse with their types."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, column, data_type in connection.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns() "
        "where database_name = ? order by column_index",
        [WAREHOUSE],
    ).fetchall():
        found.setdefault((schema, table), {})[column] = data_type
    return found


def _spellings(
    connection: duckdb.DuckDBPyConnection, tables: Iterable[PublishedTable]
) -> dict[str, str]:
    """Return DuckDB's own spelling of each declared type, such as BIGINT for int8."""
    types = {column.data_type: None for table in tables for column in table.columns}
    declared = [data_type for data_type in types if data_type]
    if not declared:
        return {}
    asked = ", ".join(f"typeof(cast(null as {data_type}))" for data_type in declared)
    (row,) = connection.execute(f"select {asked}").fetchall()
    return dict(zip(declared, row, strict=True))


def _checked_columns(
    table: PublishedTable,
    held: Mapping[tuple[str, str], Mapping[str, str]],
    spellings: Mapping[str, str],
) -> tuple[PublishedColumn, ...]:
    types = held.get((table.where_it_stands.schema, table.where_it_stands.name))
    if not types:
        raise MissingTableError(
            f"The warehouse has no table {table.full_name}, which is to be published. Run the "
            "transformation for the quarter first."
        )
    described = {column.name for column in table.columns}
    if described != set(types):
        differing = ", ".join(sorted(described ^ set(types)))
        raise SchemaMismatchError(
            f"{table.full_name} and its description do not have the same columns: {differing}."
        )
    for column in table.columns:
        declared = spellings.get(column.data_type)
        if declared and declared != types[column.name]:
            raise SchemaMismatchError(
                f"{table.full_name}.{column.name} is {types[column.name]}, but is described as "
                f"{declared}."
            )
    return tuple(
        PublishedColumn(column.name, types[column.name], column.description)
        for column in table.columns
    )


def choose_sources(connection: duckdb.DuckDBPyConnection, sources: Collection[str] | None) -> None:
    """Keep in view the deliveries in force of ``sources``, of all where None is given.

    A release names what its tables come from, and nothing else that the warehouse holds.
    """
    chosen = "true"
    if sources is not None:
        names = ", ".join(literal(source) for source in sorted(sources))
        chosen = f"source in ({names})" if names else "false"
    connection.execute(
        "create temp view released_in_force as "
        f"select * from warehouse.control.in_force where {chosen}"
    )


def write_sources(
    connection: duckdb.DuckDBPyConnection, credits: Mapping[str, SourceDescription]
) -> None:
    """Write ``sources``: one row a file of every delivery in force.

    Raises :class:`UnknownOriginError` where a delivery in force has no file on record: nothing is
    published that cannot say where it came from.
    """
    connection.execute(
        "create temp table source_credits "
        "(source varchar, title varchar, supplier varchar, licence varchar)"
    )
    for source, credit in credits.items():
        connection.execute(
            "insert into source_credits values (?, ?, ?, ?)",
            [source, credit.title or None, credit.supplier or None, credit.licence or None],
        )
    _name_files(connection, credits)
    _name_suppliers(connection, credits)
    _create(connection, SOURCES)
    connection.execute(f"insert into {_path(SOURCES)} {_SOURCES_QUERY}")
    unknown = connection.execute(
        "select distinct in_force.delivery from released_in_force as in_force "
        "anti join warehouse.control.files as files using (delivery_id) order by 1"
    ).fetchall()
    if unknown:
        raise UnknownOriginError(
            "The warehouse does not say which files these deliveries in force came in: "
            f"{', '.join(str(delivery) for (delivery,) in unknown)}."
        )


def _name_suppliers(
    connection: duckdb.DuckDBPyConnection, credits: Mapping[str, SourceDescription]
) -> None:
    """List the supplier of each delivery by name, where the name is one that is served here."""
    connection.execute("create temp table named_suppliers (delivery_id integer, supplier varchar)")
    for source, credit in credits.items():
        if credit.supplied_by:
            connection.execute(
                _NAMED_SUPPLIERS, [credit.supplied_by, source, credit.supplier_series]
            )


def _name_files(
    connection: duckdb.DuckDBPyConnection, credits: Mapping[str, SourceDescription]
) -> None:
    """List the files of the deliveries in force under the names that everybody may read.

    Of a source about people, or of which it is not known what it is about, that is a neutral name,
    and no note: a supplier may name a file after a person. Others keep theirs, unless it looks like
    an identifier.
    """
    connection.execute(
        "create temp table published_files as select files.*, deliveries.note, deliveries.source, "
        "deliveries.quarter, deliveries.version, row_number() over "
        "(partition by delivery_id order by file_id) as number "
        "from warehouse.control.files as files "
        "inner join warehouse.control.deliveries as deliveries using (delivery_id) "
        "where delivery_id in (select delivery_id from released_in_force)"
    )
    rows = connection.execute(
        "select file_id, source, quarter, version, number, file_name, note from published_files"
    ).fetchall()
    for file_id, source, quarter, version, number, name, note in rows:
        credit = credits.get(source)
        is_public = credit is not None and credit.counts not in ("", "people")
        if not is_public or holds_identifier(name):
            neutral = neutral_file_name(source, quarter, version, number, name)
            connection.execute(
                "update published_files set file_name = ? where file_id = ?", [neutral, file_id]
            )
        if not is_public:
            # A checksum shows whether a guess of the file's content is right, a size and numbers
            # of rows how many people are in it.
            connection.execute(
                "update published_files set sha256 = null, bytes = null, rows_loaded = null, "
                "rows_refused = null where file_id = ?",
                [file_id],
            )
        if note and (not is_public or holds_identifier(note)):
            connection.execute(
                "update published_files set note = null where file_id = ?", [file_id]
            )


def write_data_up_to(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[PublishedTable], quarter: date
) -> None:
    """Write ``data_up_to`` from the published ``tables`` that say what period a row is about.

    A hidden figure is one; a row without a figure that is not hidden is none.
    """
    _create(connection, DATA_UP_TO)
    label = literal(quarter_label(quarter))
    for table in tables:
        if table.period_end:
            held = f"{identifier(table.measure)} is not null"
            if "status" in {column.name for column in table.columns}:
                held += " or status like '%[c]%'"
            connection.execute(
                f"insert into {_path(DATA_UP_TO)} select ?, ?, area_code, ?, up_to, "
                "case when up_to is null then 'No data for this area.' "
                "when up_to < ? then 'The data end on ' || strftime(up_to, '%-d %B %Y') "
                f"|| ', before ' || {label} || '.' end "
                f"from (select area_code, max({table.period_end}) filter ({held})::date as up_to "
                f"from {_path(table)} group by area_code) order by area_code",
                [table.schema, table.name, quarter, quarter],
            )


def write_methods(connection: duckdb.DuckDBPyConnection, tables: Sequence[PublishedTable]) -> None:
    """Write ``method_digests``: one row for each of ``tables``."""
    _create(connection, METHODS)
    _insert(connection, METHODS, [[table.full_name, table.method_digest] for table in tables])


def write_report_metadata(
    connection: duckdb.DuckDBPyConnection, reports: Sequence[DeclaredReport]
) -> None:
    """Write ``report_metadata``: one row for each of ``reports``."""
    _create(connection, REPORT_METADATA)
    _insert(
        connection,
        REPORT_METADATA,
        [[report.schema, report.name, report.json] for report in reports],
    )


def write_joins(connection: duckdb.DuckDBPyConnection, tables: Sequence[PublishedTable]) -> None:
    """Write ``joins``: one row for each key by which one of ``tables`` joins another."""
    _create(connection, JOINS)
    _insert(connection, JOINS, [join.row for join in joins(tables)])


def write_metrics(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[PublishedTable],
    metrics: Iterable[Metric],
) -> list[Metric]:
    """Write ``metrics``: one row for each of them whose table is published. Return these.

    Raises :class:`CatalogueError` where a table has not every column that a metric of it names.
    """
    known = {
        (table.schema, table.name): {column.name for column in table.columns} for table in tables
    }
    kept = sorted((one for one in metrics if one.table in known), key=lambda one: one.name)
    for metric in kept:
        if missing := [name for name in metric.columns if name not in known[metric.table]]:
            raise CatalogueError(
                f"Metric {metric.name} names {', '.join(missing)}, no column of "
                f"{'.'.join(metric.table)}. Correct dbt_project/models/metrics/metrics.yml."
            )
    _create(connection, METRICS)
    _insert(connection, METRICS, [metric.row for metric in kept])
    return kept


def write_audit(connection: duckdb.DuckDBPyConnection, tables: Iterable[PublishedTable]) -> bool:
    """Write the audit of the assessment as printed; return whether it has rows.

    ``tables`` are those of the release that have rows.
    """
    audit = compared_with_print(connection, WAREHOUSE, tables)
    for table, rows in zip(AUDIT_TABLES, (audit, *page_rows(audit)), strict=True):
        _create(connection, table)
        _insert(connection, table, rows)
    return bool(audit)


def write_reflection_type(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the type that SQLAlchemy's reflection of keys asks for, which DuckDB does not have.

    duckdb-engine takes over PostgreSQL's query of keys, which casts a name to ``regclass``. With
    the type, ``get_pk_constraint`` and ``Table(..., autoload_with=...)`` answer that no key is
    declared. None is: DuckDB 0.10 cannot read a file with a primary key, and the indexes of all
    keys make the file larger by 87 %. The keys are in ``published_tables`` and ``joins``.
    """
    connection.execute(f"create type {qualified(CATALOGUE, 'main', 'regclass')} as varchar")


def write_descriptions(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[PublishedTable],
    metrics: Iterable[Metric],
) -> None:
    """Write ``published_tables`` and ``data_dictionary`` for ``tables`` and for themselves."""
    held = {(*metric.table, metric.column): metric.name for metric in metrics}
    described = sorted([*tables, *ABOUT_TABLES], key=lambda table: (table.schema, table.name))
    columns = [
        [*where, position, *column, held.get((*where, column.name))]
        for table in described
        for where in [(table.schema, table.name)]
        for position, column in enumerate(table.columns, start=1)
    ]
    _create(connection, DICTIONARY)
    _insert(connection, DICTIONARY, columns)
    counted: dict[PublishedTable, int] = {
        RELEASE: 1,
        TABLES: len(described),
        DICTIONARY: len(columns),
    }
    for table in (*tables, *ABOUT_TABLES):
        if table not in counted:
            counted[table] = count_rows(connection, CATALOGUE, table)
    _create(connection, TABLES)
    _insert(
        connection,
        TABLES,
        [
            [
                table.schema,
                table.name,
                table.title,
                table.description,
                table.note or None,
                table.counts,
                ", ".join(table.key),
                counted[table],
                table.rounded_to,
            ]
            for table in described
        ],
    )


def deliveries_of_quarter(
    connection: duckdb.DuckDBPyConnection, quarter: date, reference: Collection[str]
) -> int:
    """Count the deliveries loaded for ``quarter`` itself, but those of ``reference`` sources."""
    ((count,),) = connection.execute(
        "select count(distinct source) from warehouse.control.deliveries "
        "where state = 'loaded' and quarter = ? and not list_contains(?::varchar[], source)",
        [quarter, list(reference)],
    ).fetchall()
    return int(count)


def write_release(
    connection: duckdb.DuckDBPyConnection,
    quarter: date,
    now: datetime,
    product_version: str,
    digest: str,
    deliveries: int,
) -> None:
    """Write the one row of ``release``, after ``sources`` and ``data_up_to``.

    ``now`` is in UTC and without a zone; ``deliveries`` counts those of the quarter itself.
    """
    synthetic = synthetic_sources(connection)
    titles = dict(connection.execute("select source, title from source_credits").fetchall())
    ((up_to,),) = connection.execute(f"select max(data_up_to) from {_path(DATA_UP_TO)}").fetchall()
    _create(connection, RELEASE)
    _insert(
        connection,
        RELEASE,
        [
            [
                quarter,
                quarter_label(quarter),
                now,
                SCHEMA_VERSION,
                bool(synthetic),
                _synthetic_notice([titles.get(source) or source for source in synthetic]),
                deliveries,
                up_to,
                PRODUCT,
                product_version,
                digest,
            ]
        ],
    )


def synthetic_sources(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the sources with a synthetic delivery in force."""
    rows = connection.execute(
        "select distinct source from released_in_force where nature = 'synthetic' order by source"
    ).fetchall()
    return [source for (source,) in rows]


def _synthetic_notice(titles: Sequence[str]) -> str | None:
    if not titles:
        return None
    return (
        "Synthetic data: a program made the figures of these sources to try out the warehouse. "
        "They describe no real crime or person, and must not be used as evidence. Sources: "
        f"{'; '.join(titles)}."
    )


def write_comments(connection: duckdb.DuckDBPyConnection, tables: Iterable[PublishedTable]) -> None:
    """Put the description of each table and column on it as its comment."""
    for table in tables:
        path = _path(table)
        # Each by itself would be a transaction, which waits for the disk.
        with transaction(connection):
            connection.execute(f"comment on table {path} is {literal(table.comment)}")
            for column in table.columns:
                connection.execute(
                    f"comment on column {path}.{identifier(column.name)} "
                    f"is {literal(column.description)}"
                )


def count_rows(connection: duckdb.DuckDBPyConnection, catalogue: str, table: PublishedTable) -> int:
    """Return the number of rows of ``table`` in the attached ``catalogue``."""
    row = connection.execute(
        f"select count(*) from {qualified(catalogue, table.schema, table.name)}"
    ).fetchone()
    return int(row[0]) if row else 0


def _path(table: PublishedTable) -> str:
    return qualified(CATALOGUE, table.schema, table.name)


def _create(connection: duckdb.DuckDBPyConnection, table: PublishedTable) -> None:
    columns = ", ".join(f"{identifier(column.name)} {column.data_type}" for column in table.columns)
    connection.execute(f"create schema if not exists {qualified(CATALOGUE, table.schema)}")
    connection.execute(f"create table {_path(table)} ({columns})")


def _insert(
    connection: duckdb.DuckDBPyConnection, table: PublishedTable, rows: Sequence[Sequence[object]]
) -> None:
    if not rows:
        return
    one = f"({', '.join('?' * len(table.columns))})"
    values = ", ".join([one] * len(rows))
    # One statement for all rows: executemany costs a statement a row.
    connection.execute(
        f"insert into {_path(table)} values {values}", [value for row in rows for value in row]
    )
