"""Quarters as Dagster partitions."""

from collections.abc import Mapping, Sequence
from datetime import date

import dagster as dg

from orchestration.config.settings import Settings

# Dagster's own names; it exports none of them.
_PARTITION = "dagster/partition"
_RANGE_START = "dagster/asset_partition_range_start"
_RANGE_END = "dagster/asset_partition_range_end"


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


def range_tags(quarters: Sequence[date]) -> dict[str, str]:
    """Return the tags by which Dagster knows a run over ``quarters``, oldest first."""
    return {_RANGE_START: quarters[0].isoformat(), _RANGE_END: quarters[-1].isoformat()}


def quarters_tagged(tags: Mapping[str, str]) -> list[date]:
    """Return the first and last quarter (one, if they are the same) that a run's tags name."""
    names = [tags.get(name) for name in (_PARTITION, _RANGE_START, _RANGE_END)]
    return sorted({date.fromisoformat(name) for name in names if name})
