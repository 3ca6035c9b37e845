"""The schedule: requests the refresh of a closed quarter if anything was delivered for it."""

from datetime import date
from typing import Any

import dagster as dg

from orchestration.config.quarters import last_closed_quarter, quarter_label
from orchestration.config.settings import Settings, load_settings
from orchestration.dagster.owners import ENGINEERS
from orchestration.dagster.sensors import UNATTENDED, status_of
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.landing.arrival_calendar import (
    Expectation,
    delivered_quarters,
    expectations,
    landed_quarters,
)

REFRESH_SCHEDULE = "quarterly_refresh_schedule"


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


def _nothing_landed(expected: list[Expectation], quarter: date) -> str:
    """Say what is waited for where nothing of the quarter has landed but reference data."""
    awaited = [f"{one.source} (due {one.due})" for one in expected if one.due]
    return (
        f"Nothing expected for {quarter_label(quarter)} has landed. Awaited: {', '.join(awaited)}. "
        "The landing-zone sensor refreshes the quarter when a delivery comes."
    )
