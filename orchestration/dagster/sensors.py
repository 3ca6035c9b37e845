"""Sensors: the landing zone, failed runs and late deliveries.

Each only wires a pure function (of ``ingest.landing.arrivals``, ``ingest.landing.arrival_calendar``
or ``alerts``) to Dagster.
"""

import json
import time
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import dagster as dg

from orchestration.config.quarters import last_closed_quarter
from orchestration.config.settings import Settings, load_settings
from orchestration.dagster.alerts import late_deliveries, run_failure, send
from orchestration.dagster.assets.ingest import EVEN_IF_EMPTY
from orchestration.dagster.assets.landing import Landed
from orchestration.dagster.assets.publish import RELEASE_KEY
from orchestration.dagster.owners import ENGINEERS
from orchestration.dagster.partitions import quarters_tagged
from orchestration.dagster.resources import LOCKED, STARTED_BY
from orchestration.errors import LandingError, WarehouseBusyError, foreseen_errors
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.landing.arrival_calendar import (
    Expectation,
    delivered_quarters,
    expectations,
    landed_quarters,
)
from orchestration.ingest.landing.arrivals import (
    Arrival,
    Memory,
    Watch,
    fingerprint,
    quarters_to_refresh,
    watch,
)

LANDING_SENSOR = "landing_zone"
FAILURE_SENSOR = "failed_runs"
LOCKED_SENSOR = "locked_runs"
LATENESS_SENSOR = "late_deliveries"
LONDON = ZoneInfo("Europe/London")
_LATENESS_INTERVAL_SECONDS = 3600
_LANDING_INTERVAL_SECONDS = 60
_SHOWN = 10

UNATTENDED: Mapping[str, str] = {"dagster/max_retries": "2"}
"""Tags of a run that nobody watches: where its process dies, Dagster starts it again."""

_Status = TypeVar("_Status", dg.DefaultScheduleStatus, dg.DefaultSensorStatus)


def status_of(kind: type[_Status], on: bool) -> _Status:
    """Return the running or the stopped member of one of Dagster's two kinds of status."""
    return kind.RUNNING if on else kind.STOPPED


def today_in_london(now: float) -> date:
    """Return the day in London at ``now`` (seconds of the epoch)."""
    return datetime.fromtimestamp(now, LONDON).date()


# --- the landing zone ------------------------------------------------------------------------


def landing_sensor(settings: Settings, job: Any) -> dg.SensorDefinition:
    """Return the sensor that refreshes a quarter when a delivery for it has landed in full."""

    @dg.sensor(
        name=LANDING_SENSOR,
        job=job,
        minimum_interval_seconds=_LANDING_INTERVAL_SECONDS,
        default_status=status_of(dg.DefaultSensorStatus, settings.in_production),
        owners=[ENGINEERS],
        description="Refreshes each quarter for which a new or corrected delivery has landed, and "
        "the later releases built on it, once the files have kept still.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return look(load_settings(), context.cursor, time.time())

    return sensor


def look(settings: Settings, cursor: str | None, now: float) -> dg.SensorResult:
    """Return what the landing zone calls for at ``now``, given what was seen before (``cursor``).

    A delivery that has arrived is reported as a materialization of its ``landing`` asset; each
    quarter to refresh is a run request whose key says which content it is for.
    """
    try:
        seen = watch(
            settings.raw,
            load_contracts(),
            Memory.parse(cursor),
            now,
            settings.quiet_seconds,
            last_closed_quarter(today_in_london(now)),
        )
    except LandingError as error:
        return dg.SensorResult(skip_reason=str(error), cursor=cursor)
    memory = seen.memory.model_dump_json()
    requests = _requests(settings, seen)
    landed = [_landed(settings, one) for one in seen.arrivals]
    if not requests:
        return dg.SensorResult(skip_reason=_why_nothing(seen), asset_events=landed, cursor=memory)
    return dg.SensorResult(run_requests=requests, asset_events=landed, cursor=memory)


def _requests(settings: Settings, seen: Watch) -> list[dg.RunRequest]:
    arrived = {one.quarter for one in seen.arrivals}
    published = _published(settings)
    delivered = delivered_quarters(settings.raw, load_contracts())
    requests = []
    for quarter in quarters_to_refresh(arrived, published):
        if quarter < settings.first_quarter or quarter not in delivered | published:
            continue
        # An empty quarter that is published was requested with --even-if-empty before.
        tags = UNATTENDED if quarter in delivered else {**UNATTENDED, EVEN_IF_EMPTY: "true"}
        # The time is part of the key: a delivery taken back to what it was before is news, too.
        moment = int(max(one.since for one in seen.arrivals))
        requests.append(
            dg.RunRequest(
                run_key=f"{quarter}-{fingerprint(seen.memory, quarter)}-{moment}",
                partition_key=quarter.isoformat(),
                tags=tags,
            )
        )
    return requests


def _published(settings: Settings) -> set[date]:
    files = settings.published.glob("????-??-??/csp.duckdb")
    return {date.fromisoformat(file.parent.name) for file in files}


def _why_nothing(seen: Watch) -> str:
    if seen.waiting:
        return f"Waiting: {'; '.join(seen.waiting[:_SHOWN])}."
    if seen.arrivals:
        return (
            "What arrived is older than CSP_FIRST_QUARTER, or nothing but reference data for a "
            "quarter without a release."
        )
    return "Nothing new has landed."


def _landed(settings: Settings, one: Arrival) -> dg.AssetMaterialization:
    landed = Landed(one.source, one.quarter, one.files, one.bytes, one.content, one.received_at)
    return landed.materialization(settings.raw)


# --- failures --------------------------------------------------------------------------------


def failure_sensor(settings: Settings) -> dg.SensorDefinition:
    """Return the sensor that tells people of a failed run."""

    @dg.run_failure_sensor(
        name=FAILURE_SENSOR,
        default_status=status_of(dg.DefaultSensorStatus, settings.alerts),
        description="Sends an alert for each failed run, by webhook and mail where configured.",
    )
    def sensor(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        now = load_settings()
        if not now.alerts:
            return dg.SkipReason("No alerts are configured (CSP_ALERT_WEBHOOK, CSP_SMTP_HOST).")
        run = context.dagster_run
        faults = [
            (event.step_key or "the run", _kind(event.event_specific_data))
            for event in context.get_step_failure_events()
        ]
        quarters = quarters_tagged(run.tags)
        released = _has_released(context.instance, run.run_id)
        send(now, run_failure(run.job_name, run.run_id, quarters, faults, released=released))
        return None

    return sensor


def locked_sensor(settings: Settings) -> dg.SensorDefinition:
    """Return the sensor that reports an unattended run which never got the warehouse."""

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.CANCELED,
        name=LOCKED_SENSOR,
        default_status=status_of(dg.DefaultSensorStatus, settings.alerts),
        description="Sends an alert for each run that ended before its first step, since somebody "
        "else was writing the warehouse.",
    )
    def sensor(context: dg.RunStatusSensorContext) -> dg.SkipReason | None:
        now, run = load_settings(), context.dagster_run
        if LOCKED not in run.tags or STARTED_BY in run.tags:
            return dg.SkipReason("The run was cancelled by a person, or started at a terminal.")
        if not now.alerts:
            return dg.SkipReason("No alerts are configured (CSP_ALERT_WEBHOOK, CSP_SMTP_HOST).")
        faults = [("the run", WarehouseBusyError.__name__)]
        quarters = quarters_tagged(run.tags)
        send(now, run_failure(run.job_name, run.run_id, quarters, faults, released=False))
        return None

    return sensor


def _has_released(instance: dg.DagsterInstance, run_id: str) -> bool:
    made = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    events = [one.dagster_event for one in made if one.dagster_event]
    return any(event.asset_key == RELEASE_KEY for event in events)


def _kind(failure: Any) -> str:
    """Return the class name of the first of our own errors in a step's failure, else the root's."""
    error = failure.error
    own = {"DagsterAssetCheckFailedError", *foreseen_errors()}
    while error.cause is not None and error.cls_name not in own:
        error = error.cause
    return str(error.cls_name)


# --- lateness --------------------------------------------------------------------------------


def lateness_sensor(settings: Settings) -> dg.SensorDefinition:
    """Return the sensor that tells people of each late delivery, once."""

    @dg.sensor(
        name=LATENESS_SENSOR,
        minimum_interval_seconds=_LATENESS_INTERVAL_SECONDS,
        default_status=status_of(dg.DefaultSensorStatus, settings.alerts),
        owners=[ENGINEERS],
        description="Sends an alert when a delivery has not come by the day that its contract "
        "expects it.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return tell_late(load_settings(), context.cursor, time.time())

    return sensor


def tell_late(settings: Settings, cursor: str | None, now: float) -> dg.SensorResult:
    """Send an alert for what is late at ``now`` and was not reported before (``cursor``).

    Looks at the quarter that has closed last and at the one before. Raises :class:`AlertError`
    where the alert cannot be sent; it is then tried again at the next tick.
    """
    today = today_in_london(now)
    late = late_now(settings, today)
    names = {f"{one.source}/{one.quarter}": one for one in late}
    told = set(json.loads(cursor)) if cursor else set()
    new = [one for name, one in names.items() if name not in told]
    if not new:
        said = f"{len(late)} late deliveries, reported before." if late else "Nothing is late."
        return dg.SensorResult(skip_reason=said, cursor=json.dumps(sorted(told & names.keys())))
    if not settings.alerts:
        return dg.SensorResult(
            skip_reason="Late, and no alert channel is configured (CSP_ALERT_WEBHOOK, "
            f"CSP_SMTP_HOST): {', '.join(sorted(names))}.",
            cursor=cursor,
        )
    send(settings, late_deliveries(new, today))
    return dg.SensorResult(
        skip_reason=f"Reported: {', '.join(f'{one.source}/{one.quarter}' for one in new)}.",
        cursor=json.dumps(sorted(names)),
    )


def late_now(settings: Settings, today: date) -> list[Expectation]:
    """Return what is late on ``today`` for the quarter that closed last and for the one before."""
    contracts = load_contracts()
    landed = landed_quarters(settings.raw, contracts)
    closed = last_closed_quarter(today)
    before = last_closed_quarter(closed)
    return [
        one
        for quarter in (before, closed)
        for one in expectations(contracts, landed, quarter)
        if one.state(today) == "late"
    ]
