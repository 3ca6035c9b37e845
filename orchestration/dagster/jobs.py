"""The quarterly refresh as a job."""

import logging
from typing import Any

import dagster as dg

from orchestration.dagster.assets.feeds import GROUP as FEEDS_GROUP
from orchestration.dagster.owners import ENGINEERS
from orchestration.dagster.step_progress import PROGRESS_CHANNEL

REFRESH_JOB = "quarterly_refresh"
FETCH_JOB = "fetch_feeds"
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
        selection=dg.AssetSelection.all() - dg.AssetSelection.groups(FEEDS_GROUP),
        description="Landing zone to published release and exports, for one quarter.",
        owners=[ENGINEERS],
    )


def fetch_job() -> Any:
    """Return the job that fetches the sources of ``CSP_FEEDS`` and lands what is new."""
    return dg.define_asset_job(
        FETCH_JOB,
        selection=dg.AssetSelection.groups(FEEDS_GROUP),
        description="Publishers to landing zone, for the sources of CSP_FEEDS.",
        owners=[ENGINEERS],
    )
