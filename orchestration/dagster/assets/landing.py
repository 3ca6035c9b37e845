"""The landing zone in the Dagster UI: one asset for each source, made by a supplier, not by a run.

The landing-zone sensor reports an arrival as a materialization of these, so their freshness shows
whether the supplier is on time. A run that loads a delivery which no sensor saw reports it too; of
one that was reported, it observes what became of it. A raw table is materialized by each refresh,
with or without a delivery.
"""

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from orchestration.config.quarters import next_quarter, quarter_end
from orchestration.dagster.assets.feeds import feed_keys
from orchestration.dagster.owners import ENGINEERS

GROUP = "landing"
CONTENT = "checksum"
"""Metadata of a landing asset: the first digits of the SHA-256 of the delivery's content."""

VERSION = "version"
"""Metadata of a landing asset: number of the delivery's version, once it was loaded or refused."""

_LOOKED_BACK = 500
"""Events of a source that are looked at; twenty years of quarters have 80 deliveries."""

_SHORT = 16
_LATEST = """
    select
        deliveries.quarter, deliveries.version, deliveries.state, deliveries.content_sha256,
        deliveries.received_at, deliveries.rows_delivered, count(files.file_id),
        coalesce(sum(files.bytes), 0)::bigint
    from control.deliveries
    left join control.files using (delivery_id)
    where deliveries.source = ? and deliveries.quarter >= ?
    and (deliveries.source, deliveries.quarter, deliveries.version) in (
        select (source, quarter, max(version)) from control.deliveries group by source, quarter
    )
    group by all
    order by deliveries.quarter
"""
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
        deps=feed_keys(node["name"]),
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


@dataclass(frozen=True)
class Landed:
    """A delivery in the landing zone: how many files, their checksum, and when it was received."""

    source: str
    quarter: date
    files: int
    bytes: int
    content: str
    received_at: datetime | None

    def materialization(self, raw: Path, **more: Any) -> dg.AssetMaterialization:
        """Return the event of its arrival, with ``more`` metadata."""
        return dg.AssetMaterialization(
            landing_key(self.source),
            partition=self.quarter.isoformat(),
            metadata={**self._metadata(raw), **more},
        )

    def observation(self, raw: Path, **more: Any) -> dg.AssetObservation:
        """Return the event of a look at it after its arrival, with ``more`` metadata."""
        return dg.AssetObservation(
            landing_key(self.source),
            partition=self.quarter.isoformat(),
            metadata={**self._metadata(raw), **more},
        )

    def _metadata(self, raw: Path) -> dict[str, Any]:
        """Return what the UI shows: no file name, which may hold a person's."""
        folder = raw / self.source / self.quarter.isoformat()
        received = self.received_at.isoformat(" ") if self.received_at else "no receipt"
        return {
            "files": self.files,
            "bytes": self.bytes,
            CONTENT: self.content[:_SHORT],
            "received_at": received,
            "folder": dg.MetadataValue.path(folder),
        }


def landed_events(
    connection: duckdb.DuckDBPyConnection,
    instance: dg.DagsterInstance,
    source: str,
    raw: Path,
    first: date,
) -> Iterator[dg.AssetMaterialization | dg.AssetObservation]:
    """Yield what Dagster does not know yet of the loaded and refused deliveries of a source.

    A delivery that was not reported with this content is an arrival. One that was, by the sensor,
    is observed once with its outcome. Quarters before ``first`` are no partitions.
    """
    key = landing_key(source)
    arrived = _contents(instance.fetch_materializations(key, limit=_LOOKED_BACK))
    settled = _contents(instance.fetch_observations(key, limit=_LOOKED_BACK))
    deliveries = connection.execute(_LATEST, [source, first]).fetchall()
    for quarter, version, state, content, received, rows, files, size in deliveries:
        landed = Landed(source, quarter, files, size, content, received)
        outcome = {"dagster/row_count": rows, VERSION: version, "state": state}
        name, now = quarter.isoformat(), (content[:_SHORT], version)
        if arrived.get(name, ("", None))[0] != now[0]:
            yield landed.materialization(raw, **outcome)
        elif now not in (arrived[name], settled.get(name)):
            yield landed.observation(raw, **outcome)


def _contents(reported: dg.EventRecordsResult) -> dict[str, tuple[str, int | None]]:
    """Return content and version (none if it was not loaded yet) last reported of each quarter."""
    last: dict[str, tuple[str, int | None]] = {}
    for record in reported.records:
        event = record.asset_materialization or record.asset_observation
        if event and event.partition and CONTENT in event.metadata:
            version = event.metadata.get(VERSION)
            content = str(event.metadata[CONTENT].value)
            found = (content, int(str(version.value)) if version else None)
            last.setdefault(event.partition, found)
    return last


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
