"""Quarters as Dagster partitions."""

from datetime import date

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


def quarters_of(context: dg.AssetExecutionContext) -> list[date]:
    """Return the quarters that a run is for, oldest first: one, or those of a range.

    What a step does itself, it does as at the last of them.
    """
    return sorted(date.fromisoformat(key) for key in context.partition_keys)
