"""Changes since an earlier release: ``main.changes``, and the marker [r] on revised figures.

Computed from published files alone (this release as it is being written, and an earlier one), so
that it reveals nothing that those files do not: a figure that is ``[c]`` in either is only listed
as such. A release is compared with the latest one of an earlier quarter and, if it replaces a build
of the same quarter made from other inputs, with that build as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from orchestration.config.quarters import quarter_end
from orchestration.disclosure.table_model import PEOPLE
from orchestration.publish.published_tables import PublishedColumn, PublishedTable
from orchestration.publish.revision_causes import REVISIONS, Context, Evidence, Shift, cause_of
from orchestration.publish.withheld_tables import withheld_earlier
from orchestration.releases.errors import PublishError
from orchestration.releases.published_file import CATALOGUE, attach_read_only
from orchestration.warehouse.rows_digest import rows_digest
from orchestration.warehouse.sql_quoting import identifier, literal, qualified

PREVIOUS_QUARTER = "previous quarter"
REPLACED_BUILD = "replaced build"

_DESCRIBING = ("deliveries", "status", "unit")
"""Columns that say something of the figures of a row and are no figures themselves."""

_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")

_COUNTS = ("BIGINT", "INTEGER", "HUGEINT")
"""Types of columns that count."""

_ROW = "(row)"
"""Replaces the measure where a table has none and a row was added or withdrawn."""

_ROUNDING = 1e-9
"""Two numbers that differ by no more than this share of the greater are the same."""

CHANGES = PublishedTable(
    "main",
    "changes",
    "What changed since earlier releases",
    "One row for each figure that differs from the latest release of an earlier quarter, or from "
    "the build of this quarter that this one replaces: what it was, what it is, and why.",
    "A figure that is [c] in either release has no values here, nor has a row about people of "
    "which a count moved by one to four: it is [c]. Limits and averages that move only "
    "because their series grew are listed as series recalculated and are not marked [r].",
    "reference",
    (
        PublishedColumn(
            "compared_with",
            "VARCHAR",
            "previous quarter (the latest earlier quarter's release) or replaced build (the build "
            "of this quarter that this one took the place of).",
        ),
        PublishedColumn("compared_quarter", "DATE", "First day of the earlier release's quarter."),
        PublishedColumn(
            "compared_digest", "VARCHAR", "Fingerprint of the earlier release (content_digest)."
        ),
        PublishedColumn("table_schema", "VARCHAR", "Schema of the table."),
        PublishedColumn("table_name", "VARCHAR", "Name of the table."),
        PublishedColumn("area_code", "VARCHAR", "Area of the figure; null where it has none."),
        PublishedColumn("key", "VARCHAR", "The row's key as text."),
        PublishedColumn("key_json", "VARCHAR", "The row's key as JSON, by column."),
        PublishedColumn(
            "measure",
            "VARCHAR",
            "Column of the figure; status for the marker; (row) where a table has no figures.",
        ),
        PublishedColumn("old", "VARCHAR", "Earlier value as text; null where none or [c]."),
        PublishedColumn("new", "VARCHAR", "Value of this release as text; null where none or [c]."),
        PublishedColumn(
            "difference", "DOUBLE", "New less old, in the unit of the measure; null where not both."
        ),
        PublishedColumn("old_status", "VARCHAR", "Marker of the row then, without [r]."),
        PublishedColumn("new_status", "VARCHAR", "Marker of the row now, without [r]."),
        PublishedColumn(
            "kind",
            "VARCHAR",
            "Why: new period, late arrival, revised delivery, correction, new population estimate, "
            "method change, series recalculated, row withdrawn, suppression changed or not "
            "explained.",
        ),
        PublishedColumn("cause", "VARCHAR", "The same as text, with deliveries and periods."),
    ),
    ("compared_with", "table_schema", "table_name", "key_json", "measure"),
)

IN_FORCE = PublishedTable(
    "main",
    "deliveries_in_force",
    "Deliveries in force",
    "Which deliveries each period of a source is from in this release: the one that covers it, and "
    "those that add late rows to it.",
    "",
    "reference",
    (
        PublishedColumn("source", "VARCHAR", "Name of the source in the warehouse."),
        PublishedColumn(
            "series", "VARCHAR", "Part of the source with deliveries of its own; empty if none."
        ),
        PublishedColumn("period", "DATE", "What the rows are about: first day of a month, or day."),
        PublishedColumn(
            "delivery",
            "VARCHAR",
            "Delivery in force for it, as the column deliveries of the tables names it.",
        ),
    ),
    ("source", "series", "period", "delivery"),
)

_IN_FORCE_QUERY = (
    "select distinct source, series, period, delivery from released_in_force order by all"
)


@dataclass(frozen=True)
class Earlier:
    """A release to compare with: the name under which it is attached, and what it says it is."""

    alias: str
    compared_with: str
    quarter: date
    digest: str


def write_in_force(connection: duckdb.DuckDBPyConnection) -> None:
    """Write ``deliveries_in_force`` from the view ``released_in_force``."""
    connection.execute(f"create table {_path(IN_FORCE)} as {_IN_FORCE_QUERY}")


def write_changes(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[PublishedTable],
    previous: Path | None,
    standing: Path,
    cadences: Mapping[str, str],
) -> None:
    """Write ``changes`` for the new file, and mark what was revised in its tables with [r].

    ``tables`` are those of the new file, with ``sources`` and ``deliveries_in_force`` written.
    ``previous`` is the earlier quarter's release, ``standing`` the build that may be replaced; a
    file that is missing or unreadable is as none. ``cadences`` says how often a source is due.
    """
    columns = ", ".join(f"{identifier(one.name)} {one.data_type}" for one in CHANGES.columns)
    connection.execute(f"create table {_path(CHANGES)} ({columns})")
    connection.execute("create or replace temp table _changes as from " + _path(CHANGES))
    before = previous and _attached(connection, previous, "previous", PREVIOUS_QUARTER)
    if before:
        _compare(connection, tables, before, cadences)
        for table in tables:
            _mark_revised(connection, table)
    replaced = _attached(connection, standing, "replaced", REPLACED_BUILD)
    if replaced and not _compare(connection, tables, replaced, cadences):
        _carry_over(connection, replaced)
    for table in tables:
        if table.protected:
            _hide_small(connection, table)
    connection.execute(f"insert into {_path(CHANGES)} from _changes order by all")
    connection.execute("drop table _changes")
    for earlier in (before, replaced):
        if earlier:
            connection.execute(f"detach {identifier(earlier.alias)}")


def _attached(
    connection: duckdb.DuckDBPyConnection, path: Path, alias: str, compared_with: str
) -> Earlier | None:
    try:
        attach_read_only(connection, path, alias)
    except PublishError:
        return None
    try:
        # A release of a version that did not say what is in force cannot tell causes.
        connection.execute(f"select delivery from {qualified(alias, 'main', IN_FORCE.name)}")
        ((quarter, digest),) = connection.execute(
            f"select quarter, content_digest from {qualified(alias, 'main', 'release')}"
        ).fetchall()
    except (duckdb.Error, ValueError):
        connection.execute(f"detach {identifier(alias)}")
        return None
    return Earlier(alias, compared_with, quarter, digest)


# --- what differs ----------------------------------------------------------------------------


def _compare(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[PublishedTable],
    earlier: Earlier,
    cadences: Mapping[str, str],
) -> bool:
    """Add what differs from ``earlier`` to ``_changes``; return whether anything does.

    Other deliveries in force are a difference though no figure moved.
    """
    connection.execute(_DIFFERING)
    # A table that the earlier release withheld is new as a whole.
    absent = withheld_earlier(connection, earlier.alias)
    had = _columns_of(connection, earlier)
    for table in (one for one in tables if one.lists_changes and one.full_name not in absent):
        common = _common_columns(table, had.get((table.schema, table.name), {}))
        query = _differing_cells(table, earlier, common)
        if query and not _same_rows(connection, table, earlier, common):
            connection.execute(f"insert into _differing {query}")
    evidence = _evidence(connection, tables, earlier, cadences)
    _explain(connection, evidence)
    connection.execute(
        "insert into _changes select $1, $2, $3, table_schema, table_name, area_code, key, "
        "key_json, measure, old, new, difference, old_status, new_status, causes.kind, "
        "causes.words from _differing inner join _causes as causes using (context)",
        [earlier.compared_with, earlier.quarter, earlier.digest],
    )
    ((cells,),) = connection.execute("select count(*) from _differing").fetchall()
    connection.execute("drop table _differing; drop table _causes")
    return bool(cells or evidence.shifts or evidence.unnamed or evidence.corrections)


_DIFFERING = """
create or replace temp table _differing (
    table_schema varchar, table_name varchar, area_code varchar, key varchar, key_json varchar,
    measure varchar, old varchar, new varchar, difference double, old_status varchar,
    new_status varchar, presence varchar, hidden boolean, missing boolean,
    follows_series boolean, old_deliveries varchar, new_deliveries varchar,
    period_start date, period_end date, bearing varchar, months_behind integer, context varchar
)
"""

_CONTEXT = (
    "presence", "hidden", "missing", "follows_series", "old_deliveries", "new_deliveries",
    "period_start", "period_end", "bearing", "months_behind",
)  # fmt: skip
"""Columns of ``_differing`` that, with the table, make a context."""


def _same_rows(
    connection: duckdb.DuckDBPyConnection,
    table: PublishedTable,
    earlier: Earlier,
    common: Mapping[str, str],
) -> bool:
    """Return whether both releases have the same rows, so that no cell need be compared.

    Most tables of two builds are the same, and the query for the cells of a wide one takes long to
    plan.
    """
    values = {name: f"rows.{identifier(name)}" for name in common}
    if "status" in common:
        values["status"] = _status("rows", common)
    old, new = (
        rows_digest(
            connection,
            f"{qualified(catalogue, table.schema, table.name)} as rows",
            list(values.values()),
        )
        for catalogue in (earlier.alias, CATALOGUE)
    )
    return old == new


def _differing_cells(
    table: PublishedTable, earlier: Earlier, common: Mapping[str, str]
) -> str | None:
    """Return the query for the cells of one table that differ; none where it cannot be compared.

    A table that the earlier release does not have, or has with another key, is new as a whole:
    the release's ``published_tables`` say so, and no row of it is a change.
    """
    if not table.key or not set(table.key) <= common.keys():
        return None
    measures = [
        name
        for name in common
        if name not in {*table.key, *_DESCRIBING} and not name.endswith("_status")
    ]
    numbers = [name for name in measures if common[name].startswith(_NUMBERS)]
    keys = [identifier(name) for name in table.key]
    joined = " and ".join(f"earlier.{key} is not distinct from now.{key}" for key in keys)
    differs = " or ".join(_differs(name, name in numbers) for name in measures) or "false"
    old_status, new_status = _status("earlier", common), _status("now", common)
    either = {
        name: f"coalesce(now.{identifier(name)}, earlier.{identifier(name)})" for name in common
    }
    start, end = _period_of(table, common, either)
    deliveries = [
        f"{side}.deliveries" if "deliveries" in common else "null" for side in ("earlier", "now")
    ]
    cells = [
        _cell(table, name, name in numbers, measures, numbers, f"{name}_status" in common)
        for name in measures
    ]
    cells += [] if numbers else [_row_cell()]
    cells += [_status_cell()] if "status" in common else []
    context = ", ".join(f"coalesce({name}::varchar, '')" for name in _CONTEXT)
    old = qualified(earlier.alias, table.schema, table.name)
    new = qualified(CATALOGUE, table.schema, table.name)
    return f"""
with paired as (
    select
        case
            when earlier._present is null then 'added'
            when now._present is null then 'withdrawn'
            else 'changed'
        end as presence,
        {either.get("area_code", "null::varchar")} as area_code,
        {_key_words(table, common, either)} as key,
        {_key_json(table, either)} as key_json,
        {old_status} as old_status,
        {new_status} as new_status,
        {deliveries[0]} as old_deliveries,
        {deliveries[1]} as new_deliveries,
        {start} as period_start,
        {end} as period_end,
        earlier,
        now
    from (select *, true as _present from {old}) as earlier
    full join (select *, true as _present from {new}) as now on {joined}
    where earlier._present is null or now._present is null or {differs}
        or {old_status} is distinct from {new_status}
),
cells as (
    select * exclude (earlier, now), unnest([{", ".join(cells)}]) as cell
    from paired
),
hidden as (
    select
        *,
        cell.old is null and presence <> 'added'
            and contains(concat_ws(' ', old_status, cell.old_own), '[c]') as was_hidden,
        cell.new is null and presence <> 'withdrawn'
            and contains(concat_ws(' ', new_status, cell.new_own), '[c]') as is_hidden
    from cells
    where cell is not null
),
told as (
    select
        area_code,
        key,
        key_json,
        cell.measure as measure,
        case when not (was_hidden or is_hidden) then cell.old end as old,
        case when not (was_hidden or is_hidden) then cell.new end as new,
        case
            when cell.number and not (was_hidden or is_hidden)
                then try_cast(cell.new as double) - try_cast(cell.old as double)
        end as difference,
        old_status,
        new_status,
        presence,
        was_hidden or is_hidden as hidden,
        presence = 'changed' and cell.old is null as missing,
        cell.follows_series as follows_series,
        old_deliveries,
        new_deliveries,
        period_start,
        period_end,
        cell.bearing as bearing,
        cell.months_behind as months_behind
    from hidden
    where not (was_hidden and is_hidden) and not (presence = 'added' and is_hidden)
)
select
    {literal(table.schema)},
    {literal(table.name)},
    *,
    concat_ws(chr(31), {literal(table.full_name)}, {context})
from told
"""


def _columns_of(
    connection: duckdb.DuckDBPyConnection, earlier: Earlier
) -> dict[tuple[str, str], dict[str, str]]:
    """Return the columns of each table of the earlier release with their types."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, column, data_type in connection.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns() "
        "where database_name = ?",
        [earlier.alias],
    ).fetchall():
        found.setdefault((schema, table), {})[column] = data_type
    return found


def _common_columns(table: PublishedTable, had: Mapping[str, str]) -> dict[str, str]:
    """Return the columns that the earlier release has as well (``had``), with their types.

    A column that was retyped is another column: what it held cannot be compared with what it holds.
    """
    return {
        one.name: one.data_type
        for one in table.columns
        if had.get(one.name) == one.data_type.upper()
    }


def _differs(name: str, number: bool) -> str:
    column = identifier(name)
    distinct = f"earlier.{column} is distinct from now.{column}"
    if not number:
        return f"({distinct})"
    rounding = (
        f"abs(now.{column}::double - earlier.{column}::double) <= {_ROUNDING} "
        f"* greatest(abs(now.{column}::double), abs(earlier.{column}::double))"
    )
    return f"({distinct} and not coalesce({rounding}, false))"


def _status(side: str, common: Mapping[str, str]) -> str:
    """Return the row's markers without [r], which each release sets for itself."""
    if "status" not in common:
        return "null::varchar"
    return f"nullif(trim(replace({side}.status, '[r]', '')), '')"


def _cell(
    table: PublishedTable,
    name: str,
    number: bool,
    measures: Sequence[str],
    numbers: Sequence[str],
    has_status: bool,
) -> str:
    """Return a struct of one figure before and after; null where there is nothing to report.

    For a row that was added or withdrawn, numbers are reported and descriptive texts are not.
    """
    column = identifier(name)
    told = (
        f"case when presence = 'changed' then {_differs(name, number)} "
        f"else {str(number).lower()} and coalesce(now.{column}, earlier.{column}) is not null "
        "or presence = 'withdrawn' and contains(coalesce(old_status, ''), '[c]') end"
        if number
        else f"presence = 'changed' and {_differs(name, number)}"
    )
    follows = str(name in table.series_columns).lower()
    old_own, new_own = (
        f"{side}.{identifier(f'{name}_status')}" if has_status else "null::varchar"
        for side in ("earlier", "now")
    )
    months = table.months_behind.get(name, 0) if table.months_behind else "null"
    return (
        f"case when {told} then struct_pack(measure := {literal(name)}, "
        f"old := earlier.{column}::varchar, new := now.{column}::varchar, "
        f"number := {str(number).lower()}, follows_series := {follows}, "
        f"bearing := {_bearing(table, name, measures, numbers)}, "
        f"months_behind := {months}::integer, old_own := {old_own}, new_own := {new_own}) end"
    )


def _bearing(
    table: PublishedTable, name: str, measures: Sequence[str], numbers: Sequence[str]
) -> str:
    """Return the SQL of the sources that can have moved a figure, as text; null: not known.

    Of a figure made from several sources, one is left out where the row's figures that are made
    from it alone, over the same months, are what they were: a rate did not change because of its
    count if the count is the same.
    """
    sources = table.column_sources.get(name, frozenset())
    parts = []
    for source in sorted(sources):
        alone = [
            other
            for other in measures
            if table.column_sources.get(other) == frozenset({source})
            and table.months_behind.get(other, 0) == table.months_behind.get(name, 0)
            and other not in table.series_columns
        ]
        if len(sources) == 1 or not alone:
            parts.append(literal(source))
            continue
        moved = " or ".join(_differs(other, other in numbers) for other in alone)
        parts.append(f"case when presence <> 'changed' or {moved} then {literal(source)} end")
    return f"nullif(concat_ws(' ', {', '.join(parts)}), '')" if parts else "null::varchar"


def _row_cell() -> str:
    return (
        f"case when presence <> 'changed' then struct_pack(measure := {literal(_ROW)}, "
        "old := null::varchar, new := null::varchar, number := false, follows_series := false, "
        "bearing := null::varchar, months_behind := null::integer, "
        "old_own := null::varchar, new_own := null::varchar) end"
    )


def _status_cell() -> str:
    # A hidden figure is reported by its own cell, without a value.
    return (
        "case when presence = 'changed' and old_status is distinct from new_status "
        "and not contains(concat_ws('', old_status, new_status), '[c]') "
        "then struct_pack(measure := 'status', old := old_status, new := new_status, "
        "number := false, follows_series := false, "
        "bearing := null::varchar, months_behind := null::integer, "
        "old_own := null::varchar, new_own := null::varchar) end"
    )


def _period_of(
    table: PublishedTable, common: Mapping[str, str], either: Mapping[str, str]
) -> tuple[str, str]:
    """Return the SQL of the first and last day that a row is about; null where it has none."""
    if {"period_start", "period_end"} <= common.keys():
        return either["period_start"], either["period_end"]
    days = [name for name in table.key if common[name] == "DATE"]
    if days:
        day = either[days[0]]
        return day, f"case when day({day}) = 1 then last_day({day}) else {day} end"
    years = [name for name in table.key if name.endswith("year") and common[name] != "VARCHAR"]
    if years:
        year = f"{either[years[0]]}::integer"
        return f"make_date({year}, 1, 1)", f"make_date({year}, 12, 31)"
    return "null::date", "null::date"


def _key_words(table: PublishedTable, common: Mapping[str, str], either: Mapping[str, str]) -> str:
    parts = [
        f"coalesce({either['area_name']}, {either[name]})"
        if name == "area_code" and "area_name" in common
        else f"{either[name]}::varchar"
        for name in table.key
    ]
    return f"concat_ws('; ', {', '.join(parts)})"


def _key_json(table: PublishedTable, values: Mapping[str, str]) -> str:
    pairs = ", ".join(f"{identifier(name)} := {values[name]}" for name in table.key)
    return f"to_json(struct_pack({pairs}))::varchar"


# --- why -------------------------------------------------------------------------------------


def _evidence(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[PublishedTable],
    earlier: Earlier,
    cadences: Mapping[str, str],
) -> Evidence:
    def both(table: str) -> tuple[str, str]:
        return qualified(earlier.alias, "main", table), qualified(CATALOGUE, "main", table)

    old, new = both(IN_FORCE.name)
    rows = connection.execute(
        "with gone as (select * from "
        f"{old} anti join {new} using (source, series, period, delivery)), "
        "come as (select * from "
        f"{new} anti join {old} using (source, series, period, delivery)) "
        "select source, period, gone.delivery, come.delivery "
        "from gone full join come using (source, series, period) order by all"
    ).fetchall()
    shifts = [Shift(*row) for row in rows]
    named = _named_sources(connection)
    last = connection.execute(f"select source, max(period) from {old} group by source").fetchall()
    old, new = both("method_digests")
    methods = connection.execute(
        f"select table_name from {new} as now inner join {old} as earlier using (table_name) "
        "where now.method_digest <> earlier.method_digest"
    ).fetchall()
    old, new = both("sources")
    corrected = connection.execute(
        "select distinct concat(source, ' ', quarter, ' v', version), "
        "concat('Corrections: ', coalesce(now.corrections, 'none'), '; before: ', "
        "coalesce(earlier.corrections, 'none')) "
        f"from {new} as now inner join {old} as earlier using (source, quarter, version) "
        "where now.corrections is distinct from earlier.corrections"
    ).fetchall()
    return Evidence(
        tuple(shift for shift in shifts if shift.source in named),
        tuple(shift for shift in shifts if shift.source not in named),
        quarter_end(earlier.quarter),
        dict(last),
        cadences,
        frozenset(name for (name,) in methods),
        dict(corrected),
        {source: years for table in tables for source, years in table.carried.items()},
        {table.full_name: table.sources for table in tables if table.sources},
    )


def _named_sources(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the sources that differing rows name; of the others no row says what came of them."""
    rows = connection.execute(
        "select distinct concat_ws('; ', old_deliveries, new_deliveries) from _differing"
    ).fetchall()
    return {delivery.split(" ", 1)[0] for (text,) in rows for delivery in _named(text)}


def _explain(connection: duckdb.DuckDBPyConnection, evidence: Evidence) -> None:
    """Make ``_causes``: kind and words of each context that differing cells have in common."""
    rows = connection.execute(
        "select distinct context, concat_ws('.', table_schema, table_name), "
        f"{', '.join(_CONTEXT)} from _differing order by context"
    ).fetchall()
    contexts = [row[0] for row in rows]
    causes = [cause_of(_context(row[1:]), evidence) for row in rows]
    connection.execute(
        "create or replace temp table _causes as select unnest($1::varchar[]) as context, "
        "unnest($2::varchar[]) as kind, unnest($3::varchar[]) as words",
        [contexts, [cause.kind for cause in causes], [cause.words for cause in causes]],
    )


def _context(row: Sequence[object]) -> Context:
    table, presence, hidden, missing, follows, old, new, start, end, bearing, months = row
    return Context(
        str(table),
        str(presence),
        bool(hidden),
        bool(missing),
        bool(follows),
        _named(old),
        _named(new),
        start if isinstance(start, date) else None,
        end if isinstance(end, date) else None,
        frozenset(str(bearing or "").split()),
        months if isinstance(months, int) else None,
    )


def _named(deliveries: object) -> frozenset[str]:
    return frozenset(part.strip() for part in str(deliveries or "").split(";") if part.strip())


# --- what follows ----------------------------------------------------------------------------


def _mark_revised(connection: duckdb.DuckDBPyConnection, table: PublishedTable) -> None:
    """Add [r] to the status of rows with a figure that was published before and is revised."""
    if "status" not in {column.name for column in table.columns}:
        return
    kinds = ", ".join(literal(kind) for kind in REVISIONS)
    values = {name: identifier(name) for name in table.key}
    connection.execute(
        f"update {_path(table)} set status = concat_ws(' ', status, '[r]') "
        f"where {_key_json(table, values)} in (select key_json from _changes "
        "where table_schema = $1 and table_name = $2 and measure <> 'status' "
        f"and old is not null and new is not null and kind in ({kinds}))",
        [table.schema, table.name],
    )


def _hide_small(connection: duckdb.DuckDBPyConnection, table: PublishedTable) -> None:
    """Take the values off the changes of rows in which a count moved by one to four people.

    That is a number of people like any other; it is marked [c], as the rest of its row is.
    """
    counts = [one.name for one in table.columns if one.data_type.upper() in _COUNTS]
    connection.execute(
        "update _changes set old = null, new = null, difference = null, "
        "new_status = concat_ws(' ', new_status, '[c]') "
        "where table_schema = $1 and table_name = $2 and difference is not null and "
        "(compared_with, key_json) in (select (compared_with, key_json) from _changes "
        "where table_schema = $1 and table_name = $2 and list_contains($3::varchar[], measure) "
        "and abs(difference) between 1 and $4)",
        [table.schema, table.name, counts, PEOPLE.threshold - 1],
    )


def _carry_over(connection: duckdb.DuckDBPyConnection, replaced: Earlier) -> None:
    """Keep what the standing build says of the one before it: this build is the same again."""
    connection.execute(
        f"insert into _changes from {qualified(replaced.alias, 'main', CHANGES.name)} "
        "where compared_with = $1",
        [REPLACED_BUILD],
    )


def _path(table: PublishedTable) -> str:
    return qualified(CATALOGUE, table.schema, table.name)
