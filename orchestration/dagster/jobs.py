"""The quarterly refresh as a job."""

import logging
from typing import Any

import dagster as dg

from orchestration.dagster.owners import ENGINEERS
from orchestration.dagster.step_progress import PROGRESS_CHANNEL

REFRESH_JOB = "quarterly_refresh"
PROGRESS_LOGGER = "progress"


@dg.logger(None, "Hands a run's events to the command line's progress display.")
def progress_logger(context: dg.InitLoggerContext) -> logging.Logger:
    """Return the logger that ``csp refresh`` listens to; it prints nothing by itself."""
    logger = logging.getLogger(PROGRESS_CHANNEL)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    return logger


def refresh_job() -> Any:
    """Return the job that takes a quarter from the landing zone to the exports."""
    return dg.define_asset_job(
        REFRESH_JOB,
        selection=dg.AssetSelection.all(),
        description="Landing zone to published release and exports, for one quarter.",
        owners=[ENGINEERS],
    )
