"""A build is passed over only where everything that it would read is as it was."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import duckdb
import pytest

from orchestration.transform.last_build import (
    LastBuild,
    fingerprint,
    remember,
    standing_build,
    table_rows,
)

MANIFEST: dict[str, Any] = {
    "sources": {
        f"source.{schema}.{name}": {
            "unique_id": f"source.{schema}.{name}",
            "source_name": schema,
            "schema": schema,
            "identifier": name,
        }
        for schema, name in (("raw", "crimes"), ("control", "in_force"), ("control", "refresh"))
    }
}


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            "create schema raw; create schema control; create schema marts;"
            "create table raw.crimes as select 1 as _delivery_id, 'x' as kind;"
            "create table control.in_force as "
            "select 'crimes' as source, date '2018-04-01' as period, 1 as delivery_id;"
            "create table control.refresh as select date '2018-04-01' as as_at;"
            "create table marts.counts as select 1 as offences union all select 2"
        )
        yield connection


def _build(connection: duckdb.DuckDBPyConnection, project: str = "a") -> LastBuild:
    return LastBuild(
        fingerprint(connection, MANIFEST, project),
        datetime(2018, 8, 1, 9),
        217,
        table_rows(connection, ["marts.counts"]),
    )


def _stands(connection: duckdb.DuckDBPyConnection, project: str = "a") -> bool:
    return standing_build(connection, fingerprint(connection, MANIFEST, project)) is not None


def test_a_build_stands_while_nothing_changes(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert not _stands(warehouse)
    build = _build(warehouse)
    remember(warehouse, build)
    assert standing_build(warehouse, build.fingerprint) == build
    assert build.rows == {"marts.counts": 2}


@pytest.mark.parametrize(
    "change",
    [
        "insert into raw.crimes values (2, 'x')",
        "update control.in_force set delivery_id = 2",
        "insert into control.in_force values ('crimes', '2018-05-01', 1)",
        "delete from control.in_force",
        "update control.refresh set as_at = date '2018-07-01'",
        "delete from marts.counts where offences = 1",
        "drop table marts.counts",
        "drop table control.last_build",
    ],
)
def test_a_change_makes_it_build_again(warehouse: duckdb.DuckDBPyConnection, change: str) -> None:
    remember(warehouse, _build(warehouse))
    warehouse.execute(change)
    assert not _stands(warehouse)


def test_another_dbt_project_makes_it_build_again(warehouse: duckdb.DuckDBPyConnection) -> None:
    remember(warehouse, _build(warehouse))
    assert not _stands(warehouse, "b")


def test_the_order_of_rows_is_no_change(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("insert into control.in_force values ('crimes', '2018-05-01', 1)")
    remember(warehouse, _build(warehouse))
    warehouse.execute(
        "create or replace table control.in_force as from control.in_force order by period desc"
    )
    assert _stands(warehouse)
