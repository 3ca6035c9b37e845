"""The schedules: the refresh of a closed quarter if anything was delivered for it, and feeds."""

from datetime import date
from typing import Any

import dagster as dg

from orchestration.config.quarters import last_closed_quarter, quarter_label
from orchestration.config.settings import Settings, load_settings
from orchestration.dagster.assets.feeds import feed_key
from orchestration.dagster.owners import ENGINEERS
from orchestration.dagster.sensors import UNATTENDED, status_of
from orchestration.errors import SettingsError
from orchestration.feeds.feed_file import fed_sources
from orchestration.feeds.fetching import switched_on
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.landing.arrival_calendar import (
    Expectation,
    delivered_quarters,
    expectations,
    landed_quarters,
)

REFRESH_SCHEDULE = "quarterly_refresh_schedule"
FETCH_SCHEDULE = "fetch_feeds_schedule"


def refresh_schedule(settings: Settings, job: Any) -> dg.ScheduleDefinition:
    """Return the schedule: the quarter that has just closed, some days after its end.

    It skips, and says why, where no delivery that the contracts expect for the quarter has landed;
    the landing-zone sensor refreshes the quarter when one does.
    """

    @dg.schedule(
        name=REFRESH_SCHEDULE,
        job=job,
        cron_schedule=f"0 6 {settings.days_after_quarter + 1} 1,4,7,10 *",
        execution_timezone="Europe/London",
        default_status=status_of(dg.DefaultScheduleStatus, settings.in_production),
        owners=[ENGINEERS],
        description=f"Refreshes the closed quarter {settings.days_after_quarter} days after it.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        today = context.scheduled_execution_time.date()
        quarter = last_closed_quarter(today)
        contracts = load_contracts()
        landed = landed_quarters(load_settings().raw, contracts)
        expected = expectations(contracts, landed, quarter)
        delivered = quarter in delivered_quarters(load_settings().raw, contracts)
        if not delivered:
            return dg.SkipReason(_nothing_landed(expected, quarter))
        key = quarter.isoformat()
        return dg.RunRequest(run_key=key, partition_key=key, tags=UNATTENDED)

    return schedule


def fetch_schedule(settings: Settings, job: Any) -> dg.ScheduleDefinition:
    """Return the schedule that fetches the sources of ``CSP_FEEDS`` each day, if it names any."""

    @dg.schedule(
        name=FETCH_SCHEDULE,
        job=job,
        cron_schedule="30 4 * * *",
        execution_timezone="Europe/London",
        default_status=status_of(dg.DefaultScheduleStatus, bool(settings.feed_names)),
        owners=[ENGINEERS],
        description="Fetches the sources of CSP_FEEDS for the quarter that has closed last, and "
        "months of the year before it that were missing.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        return fetch_request(load_settings(), context.scheduled_execution_time.date())

    return schedule


def fetch_request(settings: Settings, today: date) -> dg.RunRequest | dg.SkipReason:
    """Return the request for the sources that are switched on, or why there is none."""
    try:
        names = switched_on(settings, fed_sources())
    except SettingsError as error:
        return dg.SkipReason(str(error))
    if not names:
        return dg.SkipReason("CSP_FEEDS names no source.")
    return dg.RunRequest(
        run_key=f"feeds-{today}",
        partition_key=last_closed_quarter(today).isoformat(),
        asset_selection=[feed_key(name) for name in names],
    )


def _nothing_landed(expected: list[Expectation], quarter: date) -> str:
    """Say what is waited for where nothing of the quarter has landed but reference data."""
    awaited = [f"{one.source} (due {one.due})" for one in expected if one.due]
    return (
        f"Nothing expected for {quarter_label(quarter)} has landed. Awaited: {', '.join(awaited)}. "
        "The landing-zone sensor refreshes the quarter when a delivery comes."
    )
