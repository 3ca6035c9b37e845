"""The models that place recorded crime, run on made-up lookups and street rows in memory.

They are run as dbt compiled them for the sample's refresh, so that many worlds are tried in the
time of one build.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

from orchestration.config.settings import PROJECT
from orchestration.ingest.checking.contract import SOURCES, load_contract
from orchestration.ingest.checking.in_force_view import create_in_force_view
from tests.support import Ground

LOOKUPS = "orchestration/ingest/sources/area_lookups"
AREAS, CRIME = (f"csp_warehouse/models/intermediate/{name}" for name in ("areas", "crime"))
MODELS = (
    ("staging", LOOKUPS, "stg_area_lookups__small_areas"),
    ("staging", LOOKUPS, "stg_area_lookups__districts"),
    ("staging", LOOKUPS, "stg_area_lookups__district_forces"),
    ("staging", LOOKUPS, "stg_area_lookups__code_changes"),
    ("intermediate", AREAS, "int_districts__known"),
    ("intermediate", AREAS, "int_districts__ended"),
    ("intermediate", AREAS, "int_district_changes__listed"),
    ("intermediate", AREAS, "int_district_changes__chained"),
    ("intermediate", AREAS, "int_areas__listed"),
    ("intermediate", AREAS, "int_district_codes__served"),
    ("intermediate", AREAS, "int_small_areas__editions"),
    ("intermediate", AREAS, "int_small_areas__placed"),
    ("intermediate", AREAS, "int_partnerships__faults"),
    ("intermediate", CRIME, "int_crime__counted"),
    ("intermediate", CRIME, "int_crime_districts__known"),
    ("intermediate", CRIME, "int_crime_strays__judged"),
    ("intermediate", CRIME, "int_crime_districts__doubted"),
    ("intermediate", CRIME, "int_crime_areas__listed"),
    ("intermediate", CRIME, "int_force_districts__named"),
    ("intermediate", CRIME, "int_crime__completed"),
    ("intermediate", CRIME, "int_crime_places__faults"),
)
TYPE = "Shoplifting"

Lookup = tuple[str, int, int, str, str | None, str, str | None]
"""Kind, year of small areas, year of districts, small area, its name, district, its name."""


@dataclass
class World:
    """What is landed: lookups, the partnerships file and street rows (month, code, name)."""

    districts: Sequence[tuple[str, str, str]]
    """Code, name and force code of each district that the partnerships file names."""
    lookups: Sequence[Lookup] = ()
    lists: Sequence[tuple[int, str, str]] = ()
    """Year, code and name of each district of a list."""
    forces: Sequence[tuple[int, str, str, str]] = ()
    """Year, code and name of a district, and its force, of a lookup of forces."""
    crimes: Sequence[tuple[date, str | None, str | None]] = ()
    force: str = "F"
    months: Sequence[date] = (date(2018, 10, 1),)
    quarter_end: date = date(2018, 12, 31)
    partnerships: Mapping[str, str] = field(default_factory=dict)
    """Short name of the partnership of each district that is one of several of it."""
    parts: Sequence[tuple[int, str, str, str]] = field(default=())
    """District year, small area of 2011, of 2021 and district of a lookup between the two."""


def compiled(sample: Ground) -> dict[str, str]:
    """Return the SQL of each model by name, as the sample's refresh ran it."""
    folder = sample.settings.dbt_state / "target" / "compiled"
    return {name: (folder / path / f"{name}.sql").read_text() for _, path, name in MODELS}


def placed(sql: dict[str, str], world: World) -> duckdb.DuckDBPyConnection:
    """Run the models on a world; return the database that holds their tables."""
    connection = duckdb.connect()
    connection.execute("attach ':memory:' as warehouse")
    connection.execute("use warehouse")
    for schema in ("raw", "in_force", "control", "staging", "intermediate", "reference"):
        connection.execute(f"create schema {schema}")
    _write_inputs(connection, world)
    for schema, _, name in MODELS:
        connection.execute(f"create table {schema}.{name} as {sql[name]}")
    return connection


def _write_inputs(connection: duckdb.DuckDBPyConnection, world: World) -> None:
    rows: list[Any] = [
        [kind, _day(year), _day(districts), code, name, None, None, district, title, None]
        for kind, year, districts, code, name, district, title in world.lookups
    ]
    rows += [
        ["district", _day(year), _day(year), code, name, None, None, code, name, None]
        for year, code, name in world.lists
    ]
    rows += [
        ["district_force", _day(year), _day(year), code, name, None, None, code, name, force]
        for year, code, name, force in world.forces
    ]
    rows += [
        ["lsoa_2011", _day(2011), _day(year), old, None, new, None, district, None, None]
        for year, old, new, district in world.parts
    ]
    _table(
        connection,
        "raw.area_lookups",
        "kind varchar, vintage date, district_vintage date, area_code varchar, area_name varchar, "
        "part_code varchar, part_name varchar, district_code varchar, district_name varchar, "
        "force_code varchar",
        rows,
    )
    connection.execute(
        "alter table raw.area_lookups add column first_day date; "
        "alter table raw.area_lookups add column _delivery_id integer default 1; "
        "alter table raw.area_lookups add column _line bigint default 1; "
        "create table control.in_force as select distinct 'area_lookups' as source, "
        "kind as series, kind as served_name, kind as delivered_series, vintage as period, "
        "1 as delivery_id, date '2018-04-01' as quarter, "
        "1 as version, 'real' as nature, 'area_lookups 2018-04-01 v1' as delivery "
        "from raw.area_lookups"
    )
    create_in_force_view(connection, load_contract(SOURCES / "area_lookups"))
    _table(
        connection,
        "control.partnership_areas",
        "csp varchar, csp_name varchar, district_code varchar, district_name varchar, "
        "force_code varchar, force_name varchar, force_area_name varchar, "
        "partnership_code varchar",
        [
            [
                *_partnership(world, code, name),
                *(code, name, force, f"{force} Police", f"{force}shire"),
                _partnership(world, code, name)[0] if code in world.partnerships else code,
            ]
            for code, name, force in world.districts
        ],
    )
    connection.execute(
        "create table control.refresh as select null::date as as_at, ?::date as quarter_end",
        [world.quarter_end],
    )
    _table(
        connection,
        "intermediate.int_force_months__in_force",
        "force_code varchar, force_name varchar, month date, delivery varchar",
        [[world.force, f"{world.force} Police", month, "s"] for month in world.months],
    )
    _table(
        connection,
        "staging.stg_police_uk_street__crimes",
        "month date, force_name varchar, lsoa_code varchar, lsoa_name varchar, "
        "published_crime_type varchar",
        [[month, f"{world.force} Police", code, name, TYPE] for month, code, name in world.crimes],
    )
    for seed in ("crime_types", "district_changes"):
        path = PROJECT / "dbt_project" / "seeds" / f"{seed}.csv"
        connection.execute(f"create table reference.{seed} as from read_csv('{path}')")


def _partnership(world: World, code: str, name: str) -> tuple[str, str]:
    csp = world.partnerships.get(code)
    return (csp, f"{csp} CSP") if csp else (code.lower(), f"{name} CSP")


def _day(year: int) -> date:
    return date(year, 1, 1)


def _table(
    connection: duckdb.DuckDBPyConnection, name: str, columns: str, rows: Iterable[Sequence[Any]]
) -> None:
    connection.execute(f"create table {name} ({columns})")
    rows = list(rows)
    if rows:
        marks = ", ".join("?" for _ in rows[0])
        connection.executemany(f"insert into {name} values ({marks})", rows)


def counts(
    connection: duckdb.DuckDBPyConnection, crime_type: str = TYPE
) -> dict[tuple[date, str], int | None]:
    """Return the count of each month and area, as crime_monthly has it."""
    rows = connection.execute(
        "select month, area_code, offences from intermediate.int_crime__completed "
        "where crime_type = ?",
        [crime_type],
    ).fetchall()
    return {(month, area): offences for month, area, offences in rows}


def faults(connection: duckdb.DuckDBPyConnection, table: str = "int_crime_places__faults") -> Any:
    """Return the faults that are reported, by rule."""
    return dict(connection.execute(f"from intermediate.{table}").fetchall())
