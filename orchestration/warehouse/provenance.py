"""From a figure back to the files and rows that it was made from.

A row of a mart or report names its deliveries. Each delivery has its files on record, and each raw
row its file and line. The rows of a delivery are narrowed to those about the figure's period, area
and dimensions, where the source has them under the same name, or to those of the people that the
figure counts (``people_provenance``). A delivery that could not be narrowed is reported as such, so
that nobody mistakes all its rows for the counted ones.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from orchestration.errors import CspError, did_you_mean, readable
from orchestration.warehouse.people_provenance import counted_rows
from orchestration.warehouse.source_table import SourceTable

_DELIVERY = re.compile(r"(?P<source>\w+) (?P<quarter>\d{4}-\d\d-\d\d) v(?P<version>\d+)")
_YEAR_LABEL = re.compile(r"^\d{4}/\d\d\b")


class TraceError(CspError):
    """There is no such table, column or row to trace."""


@dataclass(frozen=True)
class Position:
    """The place of a raw row in a delivered file. ``line`` counts from 1, the header included."""

    file_name: str
    sheet: str | None
    line: int
    column: str | None


@dataclass(frozen=True)
class TracedFile:
    """A delivered file: its checksum and what became of its rows."""

    file_name: str
    sha256: str
    rows_loaded: int
    rows_refused: int


@dataclass(frozen=True)
class TracedDelivery:
    """A delivery behind a figure, its files, and its rows about the figure.

    ``narrowed_by`` names what the rows were narrowed by; without an entry they are all rows of
    the delivery.
    """

    source: str
    quarter: date
    version: int
    nature: str
    files: tuple[TracedFile, ...]
    narrowed_by: tuple[str, ...]
    rows: tuple[Position, ...]


@dataclass(frozen=True)
class Trace:
    """A row of a mart or report with the deliveries behind it."""

    table: str
    row: Mapping[str, Any]
    deliveries: tuple[TracedDelivery, ...]


def trace(
    connection: duckdb.DuckDBPyConnection,
    contracts: Mapping[str, SourceTable],
    table: str,
    key: Mapping[str, str],
    fixed: Mapping[str, Mapping[str, str]],
) -> Trace:
    """Return what the one row of ``table`` with ``key`` was made from.

    ``connection`` has the restricted warehouse open; ``table`` is a mart's or report's name, with
    or without schema; ``key`` gives columns and their values as text, enough of them to single
    out a row; ``fixed`` has the dimensions that a table has without a column (a figure of
    shoplifting). Raises :class:`TraceError` where there is no such table, column or one row.
    """
    schema, name = _resolve(connection, table)
    row = _one_row(connection, schema, name, key)
    found = []
    for match in dict.fromkeys(_DELIVERY.findall(str(row.get("deliveries") or ""))):
        source, quarter, version = match
        dimensions = {**row, **fixed.get(name, {})}
        found.append(
            _traced(connection, contracts[source], date.fromisoformat(quarter), int(version),
                    name, dimensions)
        )  # fmt: skip
    return Trace(f"{schema}.{name}", row, tuple(found))


def _resolve(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[str, str]:
    schema, _, name = table.rpartition(".")
    rows = connection.execute(
        "select schema_name, table_name from duckdb_tables() "
        "where schema_name in ('marts', 'reports') order by all"
    ).fetchall()
    for known in rows:
        if known[1] == name and schema in ("", known[0]):
            return str(known[0]), str(known[1])
    names = [name for _, name in rows]
    raise TraceError(
        f"There is no mart or report '{readable(table)}'.{did_you_mean(name, names)} There are: "
        f"{', '.join(names)}."
    )


def _one_row(
    connection: duckdb.DuckDBPyConnection, schema: str, name: str, key: Mapping[str, str]
) -> dict[str, Any]:
    columns = [
        column
        for (column,) in connection.execute(
            "select column_name from duckdb_columns() where schema_name = ? and table_name = ? "
            "order by column_index",
            [schema, name],
        ).fetchall()
    ]
    if unknown := [column for column in key if column not in columns]:
        raise TraceError(
            f"{schema}.{name} has no column {', '.join(unknown)}."
            f"{did_you_mean(unknown[0], columns)} Its columns: "
            f"{', '.join(columns)}."
        )
    where = " and ".join(f"{column}::varchar = ?" for column in key) or "true"
    rows = connection.execute(
        f"select * from {schema}.{name} where {where} limit 1000", list(key.values())
    ).fetchall()
    if len(rows) == 1:
        return dict(zip(columns, rows[0], strict=True))
    if not rows:
        raise TraceError(f"{schema}.{name} has no row with {_said(key)}.")
    differing = [
        column
        for index, column in enumerate(columns)
        if len({row[index] for row in rows}) > 1
        and column not in ("deliveries", "status")
        and any(isinstance(row[index], str | date) for row in rows)
    ]
    raise TraceError(
        f"{len(rows)} rows of {schema}.{name} have {_said(key)}. Give more of its key, for "
        f"example {', '.join(differing[:4])}."
    )


def _said(key: Mapping[str, str]) -> str:
    return " and ".join(f"{column} = {value}" for column, value in key.items()) or "any key"


def _traced(
    connection: duckdb.DuckDBPyConnection,
    contract: SourceTable,
    quarter: date,
    version: int,
    table: str,
    row: Mapping[str, Any],
) -> TracedDelivery:
    deliveries = connection.execute(
        "select delivery_id, nature from control.deliveries "
        "where source = ? and quarter = ? and version = ?",
        [contract.source, quarter, version],
    ).fetchall()
    if not deliveries:
        raise TraceError(
            f"The warehouse has no record of {contract.source} {quarter} v{version}: it was "
            "rebuilt since. Refresh the quarter and trace again."
        )
    delivery_id, nature = deliveries[0]
    files = connection.execute(
        "select file_name, sha256, rows_loaded, rows_refused from control.files "
        "where delivery_id = ? order by file_name",
        [delivery_id],
    ).fetchall()
    named = row
    if row.get("area_code"):
        names = _area_names(connection, str(row["area_code"]), row.get("area_name"))
        named = {**row, "area_names": names}
    counted = counted_rows(connection, table, contract.source, delivery_id, named)
    if counted:
        narrowed, positions = counted[0], tuple(Position(*place) for place in counted[1])
    else:
        narrowed, positions = _rows(connection, contract, delivery_id, row)
    return TracedDelivery(
        contract.source,
        quarter,
        version,
        nature,
        tuple(TracedFile(*file) for file in files),
        narrowed,
        positions,
    )


def _rows(
    connection: duckdb.DuckDBPyConnection,
    contract: SourceTable,
    delivery_id: int,
    row: Mapping[str, Any],
) -> tuple[tuple[str, ...], tuple[Position, ...]]:
    """Return the columns that narrowed the delivery's rows, and the places of the rows."""
    bulk = contract.layout == "csv"
    table = f"{contract.raw_table}_lines" if bulk else contract.raw_table
    conditions, values, narrowed = ["_delivery_id = ?"], [delivery_id], []
    for what, condition, wanted in _narrowings(connection, contract, row):
        # A value that the source never has is not one of its own; one that this delivery lacks
        # leads to no row of it.
        ((some,),) = connection.execute(
            f"select count(*) from {contract.raw_table} where {condition}", wanted
        ).fetchall()
        if some:
            conditions.append(condition)
            values += wanted
            narrowed.append(what)
    place = "null, _line, null" if bulk else "_sheet, _line, _column"
    found = connection.execute(
        f"select files.file_name, {place} from {table} as delivered "
        "inner join control.files as files on files.file_id = delivered._file_id "
        f"where {' and '.join(conditions)} order by files.file_name, _line",
        values,
    ).fetchall()
    return tuple(narrowed), tuple(Position(*position) for position in found)


def _narrowings(
    connection: duckdb.DuckDBPyConnection, contract: SourceTable, row: Mapping[str, Any]
) -> list[tuple[str, str, list[Any]]]:
    """Return what the rows of a delivery can be narrowed by: name, condition, its values."""
    found: list[tuple[str, str, list[Any]]] = []
    # A rate names its population's mid-year and estimator as columns of its own.
    of_population = {
        column.removeprefix("population_"): value
        for column, value in row.items()
        if column.startswith("population_")
    }
    if contract.period in of_population:
        row = {"area_code": row.get("area_code"), "area_name": row.get("area_name")} | of_population
    first, last = _period(row)
    if first or last:
        period = f"{contract.period}::date"
        found.append(
            (
                "period",
                f"{period} between coalesce(?, {period}) and coalesce(?, {period})",
                [first, last],
            )
        )
    if row.get("area_code"):
        accepted = _area_names(connection, str(row["area_code"]), row.get("area_name"))
        found.append(("area", f"{contract.area} in (select unnest(?))", [accepted]))
    for dimension in ("cohort", "estimator"):
        if contract.series and isinstance(row.get(dimension), str):
            found.append((dimension, f"{contract.series[0]} = ?", [row[dimension]]))
    for column in contract.columns:
        if column.name in (contract.period, contract.area, *contract.series) or column.personal:
            continue
        value = row.get(column.name)
        if isinstance(value, str) and column.type == "VARCHAR" and not _about_area(column.name):
            supplied = _supplied_names(connection, column.name, value)
            found.append(
                (column.name, f"lower({column.name}) in (select lower(unnest(?)))", [supplied])
            )
    return found


_PUBLISHED_NAMES = """
select distinct published_name
from reference.crime_types
where
    crime_type = $crime_type
    or ($crime_type = 'Total crime' and crime_type <> 'Anti-social behaviour')
order by published_name
"""


def _supplied_names(connection: duckdb.DuckDBPyConnection, column: str, value: str) -> list[str]:
    """Return the names under which a source has a value.

    A crime type may have been renamed, and total crime is all types but anti-social behaviour.
    """
    if column != "crime_type":
        return [value]
    rows = connection.execute(_PUBLISHED_NAMES, {"crime_type": value}).fetchall()
    return [value, *(name for (name,) in rows)]


def _about_area(column: str) -> bool:
    return column in ("area_code", "area_name", "district_code", "district_name")


def _period(row: Mapping[str, Any]) -> tuple[date | None, date | None]:
    """Return the first and last day that a row is about, as far as it says."""
    for column in ("month", "stock_date", "mid_year"):
        if isinstance(row.get(column), date):
            return row[column], row[column]
    first, last = row.get("period_start"), row.get("period_end")
    if first is None and last is not None:
        return last, last
    if first is not None and last is None and _YEAR_LABEL.match(str(row.get("period_label"))):
        last = date(first.year + 1, first.month, first.day)
    return first, last


def _area_names(connection: duckdb.DuckDBPyConnection, code: str, name: Any) -> list[str]:
    """Return every code and name under which a source may know an area.

    Its districts', those of the districts that became part of them, small areas' and towns' too.
    """
    rows = connection.execute(
        """
        with districts as (
            select area_code, area_name from marts.dim_area
            where
                area_type = 'district'
                and $code in (area_code, partnership_code, force_code)
        ),
        codes as (
            select served.district_code, served.district_name
            from intermediate.int_district_codes__served as served
            inner join districts using (area_code)
        )
        select area_code from districts union select area_name from districts
        union
        select district_code from codes union select district_name from codes
        union
        select small.lsoa_code from intermediate.int_small_areas__placed as small
        inner join districts on districts.area_code = small.district_code
        union
        select towns.area_name from marts.survey_responses as towns
        inner join districts on districts.area_code = towns.district_code
        """,
        {"code": code},
    ).fetchall()
    return sorted({code, *([str(name)] if name else []), *(found for (found,) in rows if found)})
