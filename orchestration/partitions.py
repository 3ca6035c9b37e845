"""Quarters as Dagster partitions."""

import dagster as dg

from orchestration.settings import Settings


def quarterly(settings: Settings) -> dg.TimeWindowPartitionsDefinition:
    """Return the UK financial quarters from the first one on, keyed by their first day."""
    return dg.TimeWindowPartitionsDefinition(
        start=settings.first_quarter.isoformat(),
        fmt="%Y-%m-%d",
        cron_schedule="0 0 1 1,4,7,10 *",
        timezone="Europe/London",
    )
