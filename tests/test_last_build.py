"""A build is passed over only where everything that it would read is as it was."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import duckdb
import pytest

from orchestration.transform.build_state import (
    LastBuild,
    fingerprints,
    last_good_build,
    remember,
    table_rows,
)


def _source(schema: str, name: str) -> dict[str, Any]:
    return {"source_name": schema, "schema": schema, "identifier": name}


def _model(parents: list[str], code: str = "", control: str | None = None) -> dict[str, Any]:
    return {
        "resource_type": "model",
        "depends_on": {"nodes": parents},
        "raw_code": code,
        "sources": [["control", control]] if control else [],
    }


_ASKS = "from {{ source('control', 'in_force') }} where source = 'crimes'"
MANIFEST: dict[str, Any] = {
    "sources": {
        "in_force.crimes": _source("in_force", "crimes"),
        "in_force.homes": _source("in_force", "homes"),
        "control.in_force": _source("control", "in_force"),
        "control.refresh": _source("control", "refresh"),
    },
    "nodes": {
        "counts": _model(["crimes"]),
        "crimes": _model(["in_force.crimes"]),
        "crime_months": _model(["control.in_force"], _ASKS, "in_force"),
        "homes": _model(["in_force.homes"]),
        "everything": _model(
            ["control.in_force"], "from {{ source('control', 'in_force') }}", "in_force"
        ),
        "quarters": _model(["control.refresh", "homes"], control="refresh"),
        "lookup": {"resource_type": "seed", "depends_on": {}},
        "a_test": {"resource_type": "test", "depends_on": {"nodes": ["counts"]}},
    },
}
MODELS = {"counts", "crimes", "crime_months", "homes", "everything", "quarters", "lookup"}


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            "create schema raw; create schema in_force; create schema control; create schema marts;"
            "create table raw.crimes as select 1 as _delivery_id, 'x' as kind;"
            "create view in_force.crimes as from raw.crimes;"
            "create table raw.homes as select 1 as _delivery_id, 7 as dwellings;"
            "create view in_force.homes as from raw.homes;"
            "create table control.in_force as "
            "select 'crimes' as source, date '2018-04-01' as period, 1 as delivery_id;"
            "create table control.refresh as select date '2018-04-01' as as_at;"
            "create table marts.counts as select 1 as offences union all select 2;"
            "create table control.last_build (fingerprints varchar, built_at timestamp, "
            "row_counts varchar, warned varchar)"
        )
        yield connection


def _remembered(connection: duckdb.DuckDBPyConnection) -> LastBuild:
    build = LastBuild(
        fingerprints(connection, MANIFEST, "project"),
        datetime(2018, 8, 1, 9),
        table_rows(connection, ["marts.counts"]),
    )
    remember(connection, build)
    return build


def _to_build(connection: duckdb.DuckDBPyConnection, project: str = "project") -> set[str]:
    last = last_good_build(connection)
    now = fingerprints(connection, MANIFEST, project)
    return {name for name in now if not last or last.fingerprints[name] != now[name]}


def test_a_build_remains_while_nothing_changes(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert _to_build(warehouse) == MODELS
    build = _remembered(warehouse)
    assert last_good_build(warehouse) == build
    assert build.rows == {"marts.counts": 2}
    assert _to_build(warehouse) == set()


@pytest.mark.parametrize(
    ("change", "built"),
    [
        ("insert into raw.crimes values (2, 'x')", {"crimes", "counts"}),
        ("insert into raw.homes values (2, 8)", {"homes", "quarters"}),
        (
            "create or replace view in_force.homes as "
            "select _delivery_id, 8 as dwellings from raw.homes",
            {"homes", "quarters"},
        ),
        (
            "update control.in_force set delivery_id = 2",
            {"crimes", "crime_months", "counts", "everything"},
        ),
        (
            "insert into control.in_force values ('homes', '2018-05-01', 1)",
            {"homes", "quarters", "everything"},
        ),
        ("delete from control.in_force", {"crimes", "crime_months", "counts", "everything"}),
        ("update control.refresh set as_at = date '2018-07-01'", {"quarters"}),
        ("delete from marts.counts where offences = 1", MODELS),
        ("drop table marts.counts", MODELS),
        ("delete from control.last_build", MODELS),
    ],
)
def test_what_a_change_touches_is_built_again(
    warehouse: duckdb.DuckDBPyConnection, change: str, built: set[str]
) -> None:
    _remembered(warehouse)
    warehouse.execute(change)
    assert _to_build(warehouse) == built


def test_another_dbt_project_builds_everything_again(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    _remembered(warehouse)
    assert _to_build(warehouse, "another") == MODELS


@pytest.mark.parametrize(
    "code",
    [
        _ASKS + " or source = 'homes'",
        _ASKS.replace("where source = 'crimes'", ""),
        _ASKS + " union all from {{ source('control', 'in_force') }}",
    ],
)
def test_a_model_that_may_read_every_source_is_built_for_every_source(
    warehouse: duckdb.DuckDBPyConnection, code: str
) -> None:
    before, after = (
        _fingerprint_of(warehouse, code, change)
        for change in ("select 1", "insert into control.in_force values ('homes', null, 1)")
    )
    assert before != after


def _fingerprint_of(connection: duckdb.DuckDBPyConnection, code: str, change: str) -> str:
    connection.execute(change)
    manifest = MANIFEST | {"nodes": {"one": _model(["control.in_force"], code, "in_force")}}
    return fingerprints(connection, manifest, "project")["one"]


def test_the_order_of_rows_is_no_change(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("insert into control.in_force values ('crimes', '2018-05-01', 1)")
    _remembered(warehouse)
    warehouse.execute(
        "create or replace table control.in_force as from control.in_force order by period desc"
    )
    assert _to_build(warehouse) == set()
