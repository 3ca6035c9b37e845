"""The quarterly refresh as a job, and the schedule that runs it."""

import logging
from typing import Any

import dagster as dg

from orchestration.quarters import last_closed_quarter
from orchestration.settings import Settings

REFRESH_JOB = "quarterly_refresh"
PROGRESS_LOGGER = "progress"


@dg.logger(None, "Hands a run's events to the command line's progress display.")
def progress_logger(context: dg.InitLoggerContext) -> logging.Logger:
    """Return the logger that ``csp refresh`` listens to; it prints nothing by itself."""
    logger = logging.getLogger("csp.progress")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    return logger


def refresh_job() -> Any:
    """Return the job that takes a quarter from the landing zone to the exports."""
    return dg.define_asset_job(
        REFRESH_JOB,
        selection=dg.AssetSelection.all(),
        description="Landing zone to published release and exports, for one quarter.",
    )


def refresh_schedule(settings: Settings, job: Any) -> dg.ScheduleDefinition:
    """Return the schedule: the quarter that has just closed, some days after its end."""

    @dg.schedule(
        name="quarterly_refresh_schedule",
        job=job,
        cron_schedule=f"0 6 {settings.days_after_quarter + 1} 1,4,7,10 *",
        execution_timezone="Europe/London",
        description=f"Refreshes the closed quarter {settings.days_after_quarter} days after it.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        quarter = last_closed_quarter(context.scheduled_execution_time.date()).isoformat()
        return dg.RunRequest(run_key=quarter, partition_key=quarter)

    return schedule
