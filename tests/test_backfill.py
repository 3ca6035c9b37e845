"""A range of quarters in one run leaves what one run a quarter would."""

import logging
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
)

from tests.test_two_years import QUARTERS, Partnership, partnership

__all__ = ["partnership"]

pytestmark = pytest.mark.slow

THREE = QUARTERS[:3]
RELEASE = dg.AssetKey(["published", "csp"])


def _range(
    ground: Partnership, instance: dg.DagsterInstance, selection: Any = None
) -> dg.ExecuteInProcessResult:
    return ground.job.execute_in_process(
        instance=instance,
        asset_selection=selection or ground.selection,
        tags={
            ASSET_PARTITION_RANGE_START_TAG: THREE[0].isoformat(),
            ASSET_PARTITION_RANGE_END_TAG: THREE[-1].isoformat(),
        },
        raise_on_error=False,
    )


def _published(ground: Partnership) -> list[str]:
    return sorted(path.parent.name for path in ground.settings.published.glob("2*/csp.duckdb"))


def _said(result: dg.ExecuteInProcessResult) -> str:
    return " ".join(
        str(one.step_failure_data.error) for one in result.all_events if one.is_step_failure
    )


def _stages(instance: dg.DagsterInstance, run: str) -> list[str]:
    """What the run's log says that it did for each quarter, without the counts."""
    said = [one.user_message for one in instance.all_logs(run) if one.level == logging.INFO]
    stages = [one for one in said if re.match(r"Q\d \d{4}/\d\d[ (:]", one)]
    return [
        re.sub(r"\d+ models", "… models", one)
        for one in stages
        if not re.search("models built|new input", one)
    ]


def _left(ground: Partnership) -> Iterator[tuple[str, Any]]:
    """What a reader finds: rows of every published table, and bytes of every export."""
    for quarter in THREE:
        file = ground.settings.published / quarter.isoformat() / "csp.duckdb"
        with duckdb.connect(file, read_only=True) as connection:
            for schema, table in connection.execute(
                "select schema_name, table_name from duckdb_tables() where "
                "schema_name in ('marts', 'reports') or table_name = 'changes' order by all"
            ).fetchall():
                rows = connection.execute(
                    f'select * from "{schema}"."{table}" order by all'
                ).fetchall()
                yield f"{quarter} {schema}.{table}", rows
            yield (
                f"{quarter} digest",
                connection.execute("select content_digest from main.release").fetchall(),
            )
    for path in sorted(ground.settings.exports.rglob("*.csv")):
        yield str(path.relative_to(ground.settings.exports)), path.read_bytes()


def test_one_run_leaves_what_three_would(partnership: Partnership) -> None:
    for number, quarter in enumerate(THREE):
        partnership.deliver(quarter, rows=20 + number)
    with dg.DagsterInstance.get() as instance:
        result = _range(partnership, instance)
        assert result.success, _said(result)
        assert instance.get_runs_count() == 1
        for quarter in THREE:
            found = instance.fetch_materializations(
                dg.AssetRecordsFilter(RELEASE, asset_partitions=[quarter.isoformat()]), limit=5
            ).records
            paths = [one.asset_materialization.metadata["path"].value for one in found]  # type: ignore[union-attr]
            assert {Path(str(path)).parent.name for path in paths} == {quarter.isoformat()}
            assert partnership.released(quarter) == partnership.expected(quarter)
        assert _stages(instance, result.run_id) == [
            *(
                f"{quarter}: {stage}"
                for quarter in ("Q1 2018/19 (1 of 3)", "Q2 2018/19 (2 of 3)")
                for stage in (
                    "choosing the deliveries in force",
                    "building … models",
                    "hiding small counts, and attacking the result",
                    "publishing the release",
                    "writing the exports",
                )
            ),
            "Q3 2018/19: building … models",
        ]
        in_one = dict(_left(partnership))
        for name in ("warehouse", "published", "exports"):
            place: Path = getattr(partnership.settings, name)
            place.rename(place.with_name(f"one-run-{place.name}"))
        for quarter in THREE:
            one = partnership.job.execute_in_process(
                instance=instance,
                asset_selection=partnership.selection,
                partition_key=quarter.isoformat(),
            )
            assert one.success
    in_three = dict(_left(partnership))
    assert in_one.keys() == in_three.keys()
    assert [name for name in in_one if in_one[name] != in_three[name]] == []


def test_a_quarter_that_cannot_pass_stops_the_ones_after_it(
    partnership: Partnership, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestration.dagster import backfill
    from orchestration.errors import TransformError

    for quarter in THREE:
        partnership.deliver(quarter, rows=20)
    from orchestration.dagster.assets.ingest import resolve_quarter as resolve

    def fails_in_the_middle(settings: Any, quarter: date, tables: Any) -> Any:
        if quarter == THREE[1]:
            raise TransformError("A check did not pass.")
        return resolve(settings, quarter, tables)

    monkeypatch.setattr(backfill, "resolve_quarter", fails_in_the_middle)
    with dg.DagsterInstance.get() as instance:
        result = _range(partnership, instance)
        assert instance.get_materialized_partitions(RELEASE) == {THREE[0].isoformat()}
    assert not result.success
    assert _published(partnership) == [THREE[0].isoformat()]
    assert "Q2 2018/19 cannot be completed. A check did not pass." in _said(result)
    assert "Published in this run: Q1 2018/19. Not published: Q2 2018/19, Q3" in _said(result)


@pytest.mark.campaign
def test_a_refused_delivery_in_the_middle_stops_the_range(partnership: Partnership) -> None:
    for quarter in THREE:
        partnership.deliver(quarter, rows=20)
    street = partnership.settings.raw / "police_uk_street" / THREE[1].isoformat()
    for file in street.iterdir():
        file.write_text("not,a,street,file\n")
    with dg.DagsterInstance.get() as instance:
        assert not _range(partnership, instance).success
    assert _published(partnership) == []


@pytest.mark.campaign
def test_marts_alone_are_as_at_the_last_quarter(partnership: Partnership) -> None:
    for number, quarter in enumerate(THREE):
        partnership.deliver(quarter, rows=20 + number)
    restricted = [
        key for key in partnership.selection if key.path[0] not in {"published", "exports"}
    ]
    with dg.DagsterInstance.get() as instance:
        result = _range(partnership, instance, restricted)
    assert result.success, _said(result)
    assert _published(partnership) == []
    with duckdb.connect(partnership.settings.warehouse, read_only=True) as connection:
        ((as_at,),) = connection.execute("select max(quarter) from control.in_force").fetchall()
    assert as_at == THREE[-1]
