"""The landing zone in the Dagster UI: one asset for each source, made by a supplier, not by a run.

The landing-zone sensor reports an arrival as a materialization of these, so their freshness shows
whether the supplier is on time. A raw table is materialized by each refresh, with or without one.
"""

import calendar
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import dagster as dg

from orchestration.config.quarters import next_quarter, quarter_end
from orchestration.dagster.owners import ENGINEERS

GROUP = "landing"
_YEAR_DAYS = 366
_A_QUARTER_AT_LEAST = timedelta(days=89)
"""No quarter is shorter than 90 days; Dagster wants the window below the shortest interval."""


def landing_key(source: str) -> dg.AssetKey:
    """Return the key of a source's landing asset."""
    return dg.AssetKey(["landing", source])


def landing_assets(
    manifest: Mapping[str, Any], partitions: dg.PartitionsDefinition[Any]
) -> list[dg.AssetSpec]:
    """Return the external asset of each source that the dbt manifest knows."""
    sources = [node for node in manifest["sources"].values() if node["source_name"] == "in_force"]
    return [_landing(node, partitions) for node in sorted(sources, key=lambda one: one["name"])]


def _landing(node: Mapping[str, Any], partitions: dg.PartitionsDefinition[Any]) -> dg.AssetSpec:
    about = node["meta"]["csp"]
    return dg.AssetSpec(
        landing_key(node["name"]),
        group_name=GROUP,
        owners=[ENGINEERS],
        partitions_def=partitions,
        description=f"{about['title']}, as {about['supplier']} delivers it into "
        f"`raw/{node['name']}/<quarter>/`. Expected {about['arrival_days']} days after a quarter's "
        f"end ({about['cadence']}).",
        kinds={"file"},
        tags={"cadence": about["cadence"], "counts": about["counts"]},
        metadata={"supplier": about["supplier"], "licence": about["licence"]},
        freshness_policy=freshness(about["cadence"], about["arrival_days"]),
    )


def freshness(cadence: str, arrival_days: int) -> dg.FreshnessPolicy | None:
    """Return the policy that a contract's expected arrival comes to; none for a one-off extract.

    A quarterly extract is to arrive between the quarter's end and ``arrival_days`` later; an
    annual one within a year and ``arrival_days`` of the last.
    """
    if cadence == "quarterly":
        return dg.FreshnessPolicy.cron(
            deadline_cron=deadline_cron(arrival_days),
            # A week more than it takes from the quarter's end to the latest of the four deadlines.
            lower_bound_delta=min(timedelta(days=arrival_days + 7), _A_QUARTER_AT_LEAST),
            timezone="Europe/London",
        )
    if cadence == "annual":
        return dg.FreshnessPolicy.time_window(timedelta(days=_YEAR_DAYS + arrival_days))
    return None


def deadline_cron(arrival_days: int) -> str:
    """Return the cron expression of the day after the last day on time, in each quarter.

    Cron knows days of a month only and quarters differ by two days, so the latest of the four is
    taken: an alarm some days late, never a false one.
    """
    days = [_deadline(date(2018, month, 1), arrival_days) for month in (1, 4, 7, 10)]
    offsets = [_months_after(quarter, day) for quarter, day in days]
    offset = max(offsets)
    latest = max(day.day for (_, day), one in zip(days, offsets, strict=True) if one == offset)
    if latest > min(calendar.monthrange(2018, month)[1] for month in range(1, 13)):
        offset, latest = offset + 1, 1
    months = sorted((month + offset) % 12 + 1 for month in (0, 3, 6, 9))
    return f"0 0 {latest} {','.join(str(month) for month in months)} *"


def _deadline(quarter: date, arrival_days: int) -> tuple[date, date]:
    return next_quarter(quarter), quarter_end(quarter) + timedelta(days=arrival_days + 1)


def _months_after(start: date, day: date) -> int:
    return (day.year - start.year) * 12 + day.month - start.month
