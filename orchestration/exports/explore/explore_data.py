"""The figures of ``explore.html``, read from the published file only.

Each subject has its columns as lists. A column of texts or days has its distinct values once, and
their places in the rows: few values fill many rows.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

import duckdb

from orchestration.exports.errors import ExportError
from orchestration.exports.explore.subjects import Subject, load_subjects
from orchestration.exports.report_definition.row_selection import (
    Partnership,
    Row,
    TableRef,
    fetch,
    selection_query,
)
from orchestration.warehouse.sql_quoting import identifier, literal

SIGNIFICANT_DIGITS = 6
"""To which a figure is rounded on the page; the files in ``tables/`` have every digit."""

Json = Mapping[str, object]


def explore_subjects(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[TableRef],
    whose: Partnership,
    titles: Callable[[Sequence[Row]], list[str]],
) -> list[Json]:
    """Return every subject of which the release has a row for the partnership or its force.

    ``titles`` returns the titles of the sources of rows that name their deliveries.
    """
    marts = {table.name: table for table in tables if table.schema == "marts"}
    found: list[Json] = []
    for subject in release_subjects(connection):
        table = marts.get(subject.table)
        if table is None:
            continue
        rows = fetch(connection, _query(subject, table, whose))
        if rows:
            named = fetch(connection, _delivery_query(table, whose))
            found.append({**_subject(subject, table, rows), "sources": titles(named)})
    return found


def explore_areas(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[TableRef],
    whose: Partnership,
) -> list[Json]:
    """Return the areas of the subjects: the partnership's own and their parts first, then others.

    ``own`` says which are its own, ``chosen`` which are drawn at first: it and its force. Names
    are the dimension's labels, since a town may have the name of its district.
    """
    names = {subject.table for subject in release_subjects(connection)}
    marts = [table for table in tables if table.schema == "marts" and table.name in names]
    asked = [_area_query(table, whose) for table in marts]
    if not asked:
        return []
    labels = {row["area_code"]: row["area_label"] for row in _labels(connection, tables)}
    rows = [
        {**row, "area_name": labels.get(row["area_code"]) or row["area_name"]}
        for row in fetch(connection, f"{' union '.join(asked)} order by all")
    ]
    return sorted((_area(row, whose) for row in rows), key=lambda one: _area_order(one, whose))


def explore_map(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[TableRef], whose: Partnership
) -> Json | None:
    """Return the small areas of the partnership with boundaries, and their offences of the latest
    twelve months by crime type; none where the release has no boundary of them."""
    marts = {table.name: table for table in tables if table.schema == "marts"}
    if not {"small_areas", "crime_hot_spots"} <= marts.keys():
        return None
    own = ", ".join(map(literal, whose.areas))
    places = fetch(
        connection,
        "select small_area_code as code, small_area_name as name, boundary from marts.small_areas "
        f"where area_code in ({own}) and boundary is not null order by small_area_code",
    )
    counts = fetch(
        connection,
        "select small_area_code as code, crime_type, offences, rank_in_force, verdict, "
        f"period_label from marts.crime_hot_spots where area_code in ({own}) "
        "and small_area_code in (select small_area_code from marts.small_areas "
        "where boundary is not null) order by crime_type, small_area_code",
    )
    if not places or not counts:
        return None
    return {
        "places": [{**one, "boundary": json.loads(str(one["boundary"]))} for one in places],
        "columns": _columns(counts),
        "note": marts["crime_hot_spots"].note,
    }


def release_subjects(connection: duckdb.DuckDBPyConnection) -> tuple[Subject, ...]:
    """Return the subjects whose metrics the release has.

    Raises :class:`ExportError` for a release of an earlier version, which has none.
    """
    try:
        return load_subjects(fetch(connection, "from main.metrics"))
    except duckdb.CatalogException as error:
        raise ExportError(
            "The release has no main.metrics: another version of the product published it. "
            "Refresh its quarter again."
        ) from error


def _query(subject: Subject, table: TableRef, whose: Partnership) -> str:
    columns = ", ".join(identifier(name) for name in subject.columns)
    only = [f"{identifier(name)} = {literal(value)}" for name, value in subject.only.items()]
    order = ", ".join(identifier(name) for name in (*subject.order, *subject.columns))
    where = " and ".join(only) or "true"
    return (
        f"select {columns} from ({partnership_rows(table, whose)}) where {where} order by {order}"
    )


def partnership_rows(table: TableRef, whose: Partnership) -> str:
    """Return the query of the rows of the partnership and its parts, such as towns, and beside them
    of the areas of its force, without their parts."""
    parts = ", ".join(map(literal, (*whose.areas, *whose.forces)))
    return (
        f"select * from ({selection_query(replace(table, compared=True), whose)}) where area_code "
        f"not like '%:%' or split_part(area_code, ':', 1) in ({parts})"
    )


def _delivery_query(table: TableRef, whose: Partnership) -> str:
    return f"select distinct deliveries from ({partnership_rows(table, whose)}) order by all"


def _labels(connection: duckdb.DuckDBPyConnection, tables: Sequence[TableRef]) -> list[Row]:
    """Return the label of each area; none of a release from before there were labels."""
    dimension = next((one for one in tables if one.full_name == "marts.dim_area"), None)
    if dimension is None or "area_label" not in dimension.column_names:
        return []
    return fetch(connection, "select area_code, area_label from marts.dim_area order by area_code")


def _area_query(table: TableRef, whose: Partnership) -> str:
    return (
        f"select distinct area_code, area_name, area_type from ({partnership_rows(table, whose)})"
    )


def _area(row: Row, whose: Partnership) -> dict[str, object]:
    code = str(row["area_code"])
    return {
        "code": code,
        "name": row["area_name"],
        "type": row["area_type"],
        "own": code.split(":")[0] in whose.areas,
        "chosen": code in (whose.areas[0], *whose.forces),
    }


def _area_order(area: Json, whose: Partnership) -> tuple[bool, bool, int, str]:
    code = str(area["code"])
    place = whose.areas.index(code) if code in whose.areas else len(whose.areas)
    return (not area["own"], code not in whose.forces, place, str(area["name"]))


def _subject(subject: Subject, table: TableRef, rows: Sequence[Row]) -> Json:
    return {
        **subject.model_dump(include={"name", "title", "choices", "measures"}),
        "table": table.title,
        "description": table.description.partition(" Grain and key:")[0],
        "notes": [note for note in (table.note,) if note],
        "start": subject.start,
        "label": subject.label,
        "kind": subject.kind,
        "columns": _columns(rows),
    }


def _columns(rows: Sequence[Row]) -> dict[str, object]:
    return {name: _column([row[name] for row in rows]) for name in rows[0]}


def _column(values: Sequence[object]) -> object:
    if all(value is None or (_is_number(value)) for value in values):
        return [_rounded(value) for value in values]
    texts = ["" if value is None else _text(value) for value in values]
    distinct = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    return {"values": list(distinct), "places": [distinct[text] for text in texts]}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _rounded(value: object) -> object:
    if not isinstance(value, float) or not math.isfinite(value):
        return value if isinstance(value, int) else None
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
