"""What the Dagster UI shows of a refused delivery, of what landed, and of a run without lock."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import pytest

from orchestration.config.settings import PROJECT
from orchestration.dagster.assets.ingest import source_assets
from orchestration.dagster.assets.landing import landing_key
from orchestration.dagster.foreseen_errors import with_messages
from orchestration.dagster.markdown import markdown_list
from orchestration.dagster.partitions import quarterly
from orchestration.dagster.resources import LOCKED, STARTED_BY, WarehouseWriter
from orchestration.dagster.sensors import locked_sensor, look
from orchestration.errors import LandingError
from orchestration.warehouse.connection import writer_lock
from tests.support import Ground, month_file, street_file, street_row

Q1 = "2018-04-01"
STREET = dg.AssetKey(["raw", "police_uk_street"])
LANDED = landing_key("police_uk_street")
Kind = dg.DagsterEventType
WITHOUT_OUTPUT = """
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""


@pytest.fixture
def instance(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    home = ground.settings.home / "dagster"
    home.mkdir(parents=True)
    settings = (PROJECT / "orchestration" / "dagster" / "dagster.yaml").read_text()
    (home / "dagster.yaml").write_text(settings + WITHOUT_OUTPUT)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.setenv("CSP_HOME", str(ground.settings.home))
    monkeypatch.setenv("CSP_RAW", str(ground.settings.raw))
    with dg.DagsterInstance.get() as instance:
        yield instance


def loads(ground: Ground, source: str) -> dg.AssetsDefinition:
    """The asset that loads a source, as the definitions make it."""
    node = {
        "name": source,
        "source_name": "in_force",
        "description": "Rows as delivered.",
        "columns": {},
        "meta": {
            "csp": dict.fromkeys(("title", "cadence", "counts", "supplier", "licence"), "any")
        },
    }
    (asset,) = source_assets({"sources": {source: node}}, quarterly(ground.settings))
    return asset


def load(
    ground: Ground,
    instance: dg.DagsterInstance,
    source: str = "police_uk_street",
    tags: Mapping[str, str] | None = None,
) -> str:
    """Load a source in a run for the quarter; return the run's id."""
    return dg.materialize(
        [loads(ground, source)],
        partition_key=Q1,
        instance=instance,
        resources={"warehouse": WarehouseWriter()},
        raise_on_error=False,
        tags=tags,
    ).run_id


def events(instance: dg.DagsterInstance, run: str, kind: dg.DagsterEventType) -> list[Any]:
    """The data of a run's stored events of a kind."""
    stored = instance.all_logs(run, of_type=kind)
    return [one.get_dagster_event().event_specific_data for one in stored]


def landed(instance: dg.DagsterInstance, kind: str) -> list[dict[str, Any]]:
    """The metadata of what was reported of the landing asset's quarter, oldest first."""
    fetch = {
        "materialization": instance.fetch_materializations,
        "observation": instance.fetch_observations,
    }[kind]
    only = dg.AssetRecordsFilter(LANDED, asset_partitions=[Q1])
    reported = [
        one.asset_materialization or one.asset_observation
        for one in fetch(only, limit=20, ascending=True).records
    ]
    return [
        {name: value.value for name, value in event.metadata.items()} for event in reported if event
    ]


def bad_file() -> str:
    """A month of which every row has a month that cannot be."""
    return street_file(street_row(month="2018-13", number=number) for number in range(1, 31))


# --- refused deliveries ----------------------------------------------------------------------


def test_a_refusal_is_shown_as_markdown_and_ends_the_run_with_its_reason(
    ground: Ground, instance: dg.DagsterInstance
) -> None:
    ground.put("police_uk_street", Q1, {"2018-04-street.csv": bad_file()})
    run = load(ground, instance)
    (check,) = [
        one
        for one in events(instance, run, Kind.ASSET_CHECK_EVALUATION)
        if one.check_name == "deliveries_accepted"
    ]
    report = ground.settings.supplier_reports / "police_uk_street" / Q1 / "v1.xlsx"
    assert report.is_file()
    shown = check.metadata["reasons"]
    assert isinstance(shown, dg.MarkdownMetadataValue)
    for part in (
        "### Refused: police\\_uk\\_street of Q1 2018/19 (2018-04-01), version 1",
        "**Reason:** ",
        "| 2018-04-street.csv | Month | 2, 3, 4, 5, 6 and 25 more | 2018-13 |",
        "V10 is a date like yyyy-mm |",
        f"`{report}`",
        f"csp land police_uk_street {Q1} FILE",
    ):
        assert part in str(shown.value)
    assert check.description == "Refused: police_uk_street of Q1 2018/19 (2018-04-01), version 1."
    (failed,) = events(instance, run, Kind.STEP_FAILURE)
    (ended,) = events(instance, run, Kind.RUN_FAILURE)
    for error in (
        failed.error,
        ended.error or ended.first_step_failure_event.step_failure_data.error,
    ):
        assert error.cls_name == "RefusedDeliveryError"
        assert error.message.startswith("police_uk_street of Q1 2018/19 (2018-04-01), version 1 is")
        assert "line 2, column 'Month'" in error.message
        assert str(report) in error.message
        assert (list(error.stack), error.cause) == ([], None)


@pytest.mark.slow
def test_a_refusal_of_an_earlier_load_is_shown_the_same(
    ground: Ground, instance: dg.DagsterInstance
) -> None:
    ground.put("police_uk_street", Q1, {"2018-04-street.csv": bad_file()})
    shown = []
    for _ in range(2):
        checks = events(instance, load(ground, instance), Kind.ASSET_CHECK_EVALUATION)
        shown += [one.metadata["reasons"] for one in checks if not one.passed]
    assert len(shown) == 2
    assert shown[0] == shown[1]


def test_a_refusal_shows_nothing_about_a_person(
    ground: Ground, instance: dg.DagsterInstance
) -> None:
    text = "Offender ID,Jane Doe\r\nPNC 90/1234567Z,Jane Doe of 1 High Street\r\n"
    ground.put("police_charges", Q1, {"Jane Doe.csv": text})
    run = load(ground, instance, "police_charges")
    (failed,) = events(instance, run, Kind.STEP_FAILURE)
    assert failed.error.cls_name == "RefusedDeliveryError"
    stored = " ".join(str(one) for one in instance.all_logs(run))
    assert "police_charges of Q1 2018/19" in stored
    for word in ("Jane", "1234567Z", "High Street"):
        assert word not in stored


def test_only_a_foreseen_error_loses_its_stack_trace(instance: dg.DagsterInstance) -> None:
    @dg.op
    def foreseen() -> None:
        raise LandingError("The file is locked.")

    @dg.op
    def unexpected() -> None:
        raise ValueError("x")

    @dg.job
    def both() -> None:
        foreseen()
        unexpected()

    run = both.execute_in_process(instance=instance, raise_on_error=False).run_id
    first, second = sorted(
        (one.error for one in events(instance, run, Kind.STEP_FAILURE)),
        key=lambda error: str(error.cls_name),
        reverse=True,
    )
    assert (first.message, first.cls_name, list(first.stack)) == (
        "The file is locked.",
        "LandingError",
        [],
    )
    assert second.cause.cls_name == "ValueError"
    assert second.cause.stack
    (entry,) = instance.all_logs(run, of_type=Kind.RUN_START)
    assert with_messages(entry) is entry


def test_markdown_shows_texts_as_they_are() -> None:
    assert markdown_list(["a | b_c [rule: volume]", "two\nlines", "x"], 2) == (
        "- a \\| b\\_c \\[rule: volume\\]\n- two lines\n- 1 more"
    )
    assert markdown_list(["<b>"], 2) == "- \\<b\\>"


# --- landing assets --------------------------------------------------------------------------


def test_a_run_reports_what_landed_once(ground: Ground, instance: dg.DagsterInstance) -> None:
    folder = ground.put("police_uk_street", Q1, {"2018-04-street.csv": month_file()})
    load(ground, instance)
    load(ground, instance)
    (arrived,) = landed(instance, "materialization")
    (content,) = ground.query("select content_sha256 from control.deliveries")
    assert arrived == {
        "files": 1,
        "bytes": (folder / "2018-04-street.csv").stat().st_size,
        "checksum": content[0][:16],
        "received_at": "no receipt",
        "folder": str(folder),
        "dagster/row_count": 10,
        "version": 1,
        "state": "loaded",
    }
    assert landed(instance, "observation") == []
    ground.put("police_uk_street", Q1, {"2018-04-street.csv": bad_file()})
    load(ground, instance)
    assert [one["state"] for one in landed(instance, "materialization")] == ["loaded", "refused"]


@pytest.mark.slow
def test_what_the_sensor_reported_is_observed_once_with_its_outcome(
    ground: Ground, instance: dg.DagsterInstance
) -> None:
    ground.put("police_uk_street", Q1, {"2018-04-street.csv": month_file()})
    now = time.time()
    tick = look(ground.settings, look(ground.settings, None, now).cursor, now + 600)
    for event in tick.asset_events:
        instance.report_runless_asset_event(event)
    for _ in range(2):
        load(ground, instance)
    (arrived,), (outcome,) = landed(instance, "materialization"), landed(instance, "observation")
    assert "version" not in arrived
    assert (outcome["version"], outcome["state"], outcome["dagster/row_count"]) == (1, "loaded", 10)
    assert arrived["checksum"] == outcome["checksum"]


def test_an_arrival_that_calls_for_no_run_is_reported_too(ground: Ground) -> None:
    ground.put("area_lookups", Q1, {"a.csv": "x"})
    now = time.time()
    tick = look(ground.settings, look(ground.settings, None, now).cursor, now + 600)
    assert not tick.run_requests
    assert [one.asset_key for one in tick.asset_events] == [landing_key("area_lookups")]


# --- the writer's lock -----------------------------------------------------------------------


@pytest.fixture
def refused_by_lock(
    ground: Ground, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A run that did not get the warehouse, after one that loaded the quarter."""
    monkeypatch.setenv("CSP_RUN_LOCK_WAIT_SECONDS", "0.2")
    ground.put("police_uk_street", Q1, {"2018-04-street.csv": month_file()})
    load(ground, instance)
    with writer_lock(ground.settings.home, "The nightly backup"):
        return load(ground, instance, tags={"dagster/max_retries": "2"})


def test_a_run_without_the_lock_leaves_partitions_and_checks_as_they_are(
    ground: Ground, instance: dg.DagsterInstance, refused_by_lock: str
) -> None:
    run = instance.get_run_by_id(refused_by_lock)
    assert run is not None
    assert run.status is dg.DagsterRunStatus.CANCELED
    assert run.tags[LOCKED] == "true"
    words = [one.user_message for one in instance.all_logs(run.run_id)]
    assert any(said.startswith("Waiting up to 0.6 seconds. The nightly backup") for said in words)
    (ended,) = instance.all_logs(run.run_id, of_type=Kind.RUN_CANCELED)
    assert "The nightly backup (process " in str(ended.get_dagster_event().message)
    status = instance.get_status_by_partition(STREET, [Q1], quarterly(ground.settings))
    assert status is not None
    assert str(status[Q1]) == "AssetPartitionStatus.MATERIALIZED"
    assert not instance.all_logs(run.run_id, of_type=Kind.RUN_FAILURE)


@pytest.mark.slow
def test_an_unattended_run_without_the_lock_is_reported(
    ground: Ground, instance: dg.DagsterInstance, refused_by_lock: str, monkeypatch: Any
) -> None:
    monkeypatch.setenv("CSP_ALERT_WEBHOOK", "http://127.0.0.1:9/hook")
    sent: list[Any] = []
    monkeypatch.setattr("orchestration.dagster.sensors.send", lambda _, alert: sent.append(alert))
    run = instance.get_run_by_id(refused_by_lock)
    assert run is not None
    for tags in ({}, {STARTED_BY: "csp refresh"}):
        (ended,) = instance.all_logs(run.run_id, of_type=Kind.RUN_CANCELED)
        context = dg.build_run_status_sensor_context(
            sensor_name="locked_runs",
            dagster_event=ended.get_dagster_event(),
            dagster_instance=instance,
            dagster_run=run.with_tags({**run.tags, **tags}),
        )
        locked_sensor(ground.settings)(context)
    (alert,) = sent
    assert "Q1 2018/19" in alert.subject
    assert "somebody else was writing the warehouse" in alert.body
