"""A range of quarters: which they are, and what is said of each after its run."""

from collections.abc import Mapping
from datetime import date
from io import StringIO
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from orchestration.cli.console import new_console
from orchestration.cli.refresh_outcome import reported
from orchestration.cli.refresh_range import print_quarters, quarters_between
from orchestration.dagster import backfill
from orchestration.dagster.assets.exports import EXPORTS_KEY
from orchestration.dagster.assets.publish import RELEASE_KEY
from orchestration.dagster.partitions import quarters_tagged, range_tags
from orchestration.dagster.resources import CompletedQuarters
from orchestration.errors import BackfillError, QuarterError, StorageError

FIRST, LAST = date(2017, 10, 1), date(2018, 7, 1)
ALL = [date(2017, 10, 1), date(2018, 1, 1), date(2018, 4, 1), date(2018, 7, 1)]


def _release(quarter: date, *changed: str) -> dict[str, Any]:
    path = f"published/{quarter}/csp.duckdb"
    return {"changed": bool(changed), "changed_tables": list(changed), "path": path}


def _said(
    quarters: list[date], releases: Mapping[str, Mapping[str, Any]], exports: list[date]
) -> list[str]:
    console = new_console(file=StringIO(), width=200)
    print_quarters(quarters, releases, {str(one): {} for one in exports}, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def test_range_holds_both_ends() -> None:
    assert list(quarters_between(FIRST, LAST)) == ALL
    assert list(quarters_between(FIRST, FIRST)) == [FIRST]
    with pytest.raises(QuarterError):
        list(quarters_between(LAST, FIRST))


def test_tags_name_a_quarter_or_the_ends_of_a_range() -> None:
    assert quarters_tagged(range_tags(ALL)) == [FIRST, LAST]
    assert quarters_tagged({"dagster/partition": "2018-04-01"}) == [date(2018, 4, 1)]
    assert quarters_tagged({}) == []


def test_each_quarter_of_a_range_has_its_line() -> None:
    releases = {str(ALL[0]): _release(ALL[0]), str(ALL[1]): _release(ALL[1], "marts.dim_area")}
    releases[str(ALL[0])]["warnings"] = ["more rows [rule: volume]"]
    assert _said(ALL[:3], releases, ALL[:2]) == [
        "Q3 2017/18 (2017-10-01): unchanged. published/2017-10-01/csp.duckdb",
        "  Warning: more rows [rule: volume]",
        "Q4 2017/18 (2018-01-01): published, tables changed: 1. published/2018-01-01/csp.duckdb",
        "Q1 2018/19 (2018-04-01) was not published: its previous release, if any, is unchanged.",
    ]


def test_a_stop_between_release_and_exports_is_reported() -> None:
    releases = {str(FIRST): _release(FIRST, "marts.dim_area")}
    assert _said([FIRST], releases, []) == [
        "Q3 2017/18 (2017-10-01): published, tables changed: 1. published/2017-10-01/csp.duckdb",
        "The exports of Q3 2017/18 (2017-10-01) were not completed; refresh it again.",
    ]
    assert _said([FIRST], releases, [FIRST]) == []


def test_quarters_of_a_run_are_not_mixed_up() -> None:
    """An asset shows the last quarter, in whatever order Dagster reports the quarters."""

    def event(key: str, quarter: date, rows: int) -> SimpleNamespace:
        materialization = dg.AssetMaterialization(
            key.split("/"), partition=str(quarter), metadata={"dagster/row_count": rows}
        )
        data = SimpleNamespace(materialization=materialization)
        return SimpleNamespace(
            is_step_failure=False, is_step_materialization=True, step_materialization_data=data,
            event_type_value="ASSET_MATERIALIZATION",
        )  # fmt: skip

    told = [
        event("published/csp", ALL[1], 20),
        event("published/csp", ALL[0], 10),
        event("exports/partnerships", ALL[0], 1),
    ]
    ran = reported(SimpleNamespace(success=True, run_id="1", all_events=told), ALL[1])
    assert ran.metadata == {"published/csp": {"dagster/row_count": 20}}
    assert {key: one["dagster/row_count"] for key, one in ran.releases.items()} == {
        "2018-01-01": 20,
        "2017-10-01": 10,
    }
    assert list(ran.exports) == ["2017-10-01"]


def test_a_release_whose_exports_fail_is_published(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: Any) -> None:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(backfill, "_built", lambda *_, **__: ({}, []))
    monkeypatch.setattr(backfill, "publish_quarter", lambda *_: None)
    monkeypatch.setattr(backfill, "release_metadata", lambda *_: {})
    monkeypatch.setattr(backfill, "export_quarter", fails)
    events: list[dg.AssetMaterialization] = []
    context: Any = SimpleNamespace(
        partition_keys=[str(one) for one in ALL],
        run=SimpleNamespace(tags={}),
        job_def=SimpleNamespace(
            asset_layer=SimpleNamespace(executable_asset_keys=[RELEASE_KEY, EXPORTS_KEY])
        ),
        log_event=events.append,
        log=SimpleNamespace(info=lambda _: None),
    )
    warehouse: Any = SimpleNamespace(completed=CompletedQuarters(), settings=None)
    warehouse.completed.complete(ALL[0], {})
    with pytest.raises(BackfillError) as told:
        backfill.earlier_quarters({})(context, warehouse)
    assert "Q4 2017/18 cannot be completed. The disk is full." in str(told.value)
    assert "Published in this run: Q3 2017/18, Q4 2017/18." in str(told.value)
    assert str(told.value).endswith("Not published: Q1 2018/19, Q2 2018/19.")
    assert [(event.asset_key, event.partition) for event in events] == [(RELEASE_KEY, "2018-01-01")]
    with pytest.raises(BackfillError, match="2018-01-01, 2018-04-01: a range is published only"):
        warehouse.completed.require(ALL[:3])
